"""MS-ROI JPEG: a network that knows what a picture shows says where a JPEG encoder spends its bytes."""
