"""Preprocessing: raw strings to the arrays that models take. Public as `hub.models.*Preprocessor` and `hub.layers.*Packer`."""
