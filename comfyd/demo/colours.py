"""What the channels of the demo model's latents contribute to a colour, for previews: ComfyUI knows it of the models it names.

A least squares fit to sixteen pictures of 128 pixels in which colourful pixels count up to eleven times: a row for each
channel; red, green and blue from -1 to 1.
"""

FACTORS = (
    (-0.039, 0.042, 0.035),
    (-0.085, 0.007, 0.091),
    (0.07, -0.055, -0.035),
    (0.158, 0.112, 0.183),
    (-0.107, 0.004, 0.18),
    (0.086, 0.124, 0.175),
    (-0.11, -0.197, -0.131),
    (-0.057, -0.064, -0.065),
    (-0.044, -0.002, 0.007),
    (0.137, -0.01, -0.02),
    (-0.003, 0.007, 0.048),
    (0.018, -0.029, -0.046),
    (-0.034, -0.135, -0.088),
    (0.027, 0.063, 0.092),
    (-0.13, -0.055, 0.005),
    (0.014, -0.056, -0.151),
)
BIAS = (0.592, 0.568, 0.407)
