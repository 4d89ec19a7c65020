using System.Globalization;
using System.Text;

namespace GrayMQ.Testing;

/// <summary>A line of a plot.</summary>
/// <param name="Name">Written in the legend; empty where lines need none.</param>
/// <param name="Colour">As in SVG.</param>
internal sealed record PlotLine(string Name, string Colour, IReadOnlyList<(double Seconds, double Value)> Points);

/// <summary>Lines over time, one panel of a plot.</summary>
internal sealed record PlotPanel(string Title, IReadOnlyList<PlotLine> Lines)
{
    /// <summary>Stretches of time that are shaded.</summary>
    public IReadOnlyList<(double From, double To)> Bands { get; init; } = [];

    /// <summary>Moments that are marked, with what happened.</summary>
    public IReadOnlyList<(double Seconds, string What)> Marks { get; init; } = [];

    /// <summary>The value at the top, for a panel on a scale of its own; null takes that of all panels.</summary>
    public double? Most { get; init; }
}

/// <summary>Draws panels below each other, on the same scales unless a panel has its own, as SVG.</summary>
internal static class TimePlot
{
    private const int Width = 900;
    private const int PanelHeight = 300;
    private const int Margin = 60;
    private const int Top = 30;
    private const int Bottom = 40;
    private const int LegendStep = 160;

    public static string Draw(params IReadOnlyList<PlotPanel> panels)
    {
        (double Seconds, double Value)[] points = [.. panels.SelectMany(panel => panel.Lines).SelectMany(line => line.Points)];
        double from = points.Min(point => point.Seconds);
        double length = Math.Max(1, points.Max(point => point.Seconds) - from);
        double mostOfAll = Math.Max(1, points.Max(point => point.Value));
        var svg = new StringBuilder();
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{panels.Count * PanelHeight}\" font-family=\"sans-serif\" font-size=\"12\">");
        Add($"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        foreach ((int index, PlotPanel panel) in panels.Index())
        {
            double most = panel.Most ?? mostOfAll;
            double top = (index * PanelHeight) + Top;
            double bottom = ((index + 1) * PanelHeight) - Bottom;
            double X(double seconds) => Margin + ((seconds - from) / length * (Width - (2 * Margin)));
            double Y(double value) => bottom - (value / most * (bottom - top));
            foreach ((double begin, double end) in panel.Bands)
            {
                Add($"<rect x=\"{X(begin):F1}\" y=\"{top:F1}\" width=\"{X(end) - X(begin):F1}\" height=\"{bottom - top:F1}\" fill=\"#eeeeee\"/>");
            }

            Add($"<text x=\"{Margin}\" y=\"{top - 10:F1}\">{panel.Title}</text>");
            Add($"<path d=\"M{Margin},{top:F1} V{bottom:F1} H{Width - Margin}\" fill=\"none\" stroke=\"black\"/>");
            Add($"<text x=\"5\" y=\"{top + 5:F1}\">{most:F0}</text><text x=\"5\" y=\"{bottom:F1}\">0</text>");
            Add($"<text x=\"{Width - Margin - 30}\" y=\"{bottom + 20:F1}\">{length:F0} s</text>");
            foreach (PlotLine line in panel.Lines)
            {
                string path = string.Join(
                    ' ', line.Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Seconds):F1},{Y(point.Value):F1}")));
                Add($"<polyline points=\"{path}\" fill=\"none\" stroke=\"{line.Colour}\" stroke-width=\"1.5\"/>");
            }

            foreach ((int row, (double seconds, string what)) in panel.Marks.Index())
            {
                Add($"<path d=\"M{X(seconds):F1},{top:F1} V{bottom:F1}\" stroke=\"black\" stroke-dasharray=\"4 3\"/>");

                // On the side on which there is more room.
                bool isLate = seconds - from > length / 2;
                double x = X(seconds) + (isLate ? -4 : 4);
                Add($"<text x=\"{x:F1}\" y=\"{top + 12 + (row * 14):F1}\" text-anchor=\"{(isLate ? "end" : "start")}\">{what}</text>");
            }

            foreach ((int column, PlotLine line) in panel.Lines.Where(line => line.Name.Length > 0).Index())
            {
                Add($"<text x=\"{Margin + (column * LegendStep)}\" y=\"{bottom + 20:F1}\" fill=\"{line.Colour}\">{line.Name}</text>");
            }
        }

        return svg.Append("</svg>\n").ToString();

        void Add(FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
