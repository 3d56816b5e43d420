"""Colours as the colour-blind see them."""

import numpy as np


def seen_without(cone, colours):
    """CIELAB of sRGB colours as seen without one kind of cone (0 L, 1 M), after Vienot et al. 1999."""
    rgb = np.array([[int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)] for colour in colours])
    rgb = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_lms = [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
    lms = rgb @ np.transpose(to_lms)
    if cone == 0:
        lms[:, 0] = 2.02344 * lms[:, 1] - 2.52581 * lms[:, 2]
    if cone == 1:
        lms[:, 1] = 0.494207 * lms[:, 0] + 1.24827 * lms[:, 2]
    rgb = np.clip(lms @ np.linalg.inv(np.transpose(to_lms)), 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = rgb @ np.transpose(to_xyz) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)
