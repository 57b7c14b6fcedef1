"""Pages drawn by a real Chromium, labelled by drawing them again with other photographs."""
