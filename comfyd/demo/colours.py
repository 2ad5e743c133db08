"""What the channels of the demo model's latents contribute to a colour, for previews: ComfyUI knows it of the models it names.

The least squares fit of sixteen pictures of 128 pixels, a row for each channel, red, green and blue from -1 to 1.
"""

FACTORS = (
    (-0.043, -0.006, 0.011),
    (-0.077, 0.023, 0.097),
    (0.046, -0.037, -0.048),
    (0.174, 0.158, 0.229),
    (-0.088, 0.041, 0.187),
    (0.09, 0.123, 0.164),
    (-0.12, -0.168, -0.155),
    (-0.058, -0.075, -0.087),
    (-0.052, 0.003, 0.015),
    (0.162, 0.058, 0.023),
    (0.013, 0.038, 0.064),
    (0.015, -0.017, -0.052),
    (-0.038, -0.099, -0.089),
    (0.029, 0.052, 0.071),
    (-0.131, -0.046, 0.012),
    (0.005, -0.063, -0.135),
)
BIAS = (0.649, 0.612, 0.507)
