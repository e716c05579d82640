"""Data to try things on.

`norris.csv`: NIST's calibration of ozone monitors, 36 rows: `x` is the customer's measurement (the predictor), `y`
NIST's (the response), in the order and with the digits of the source.  The certified straight line is
y = -0.262323073774029 + 1.00211681802045 x, with a residual sum of squares of 26.6173985294224.

Source: J. Norris, NIST, in the Statistical Reference Datasets (StRD), linear regression, "Norris", lower level of
difficulty, observed data: https://www.itl.nist.gov/div898/strd/lls/data/Norris.shtml.  A work of the United States
government, in the public domain.
"""
