"""Pictures: grids of faces, maps of codes, and what sharpening does to them."""
