"""Segment Anything (Kirillov et al., arXiv:2304.02643); its modules need torch, so nothing is imported here."""
