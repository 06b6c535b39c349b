/** The one load chart: radius in metres, capacity in tonnes. */
final class Chart {
    private static final double[] RADII = {2.5, 13.7, 16, 20, 25, 30, 35, 40, 45, 50};
    private static final double[] LOADS = {6.0, 6.0, 5.0, 3.9, 3.0, 2.4, 2.0, 1.7, 1.45, 1.3};

    private Chart() {}

    /** Linear between the points; NaN outside. */
    static double capacity(double radius) {
        if (radius < RADII[0] || radius > RADII[9]) return Double.NaN;
        int at = 1;
        while (RADII[at] < radius) at++;
        return LOADS[at - 1] + (LOADS[at] - LOADS[at - 1]) * (radius - RADII[at - 1])
                / (RADII[at] - RADII[at - 1]);
    }
}
