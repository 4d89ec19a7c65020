using System.Globalization;
using System.Text;

namespace GrayMQ.Load;

/// <summary>How much of a queue was left to consume at a moment.</summary>
/// <param name="Way">pull or pop.</param>
/// <param name="Backlog">Messages stored and not handed to anybody who is done with them (pull) or has them in hand (pop).</param>
/// <param name="Again">Messages that came again and were acked, up to then.</param>
internal sealed record HangSample(string Way, double Seconds, int QueueId, long Backlog, long Again)
{
    private const int Width = 900;
    private const int PanelHeight = 300;
    private const int Margin = 60;

    private static readonly string[] Colours = ["#d62728", "#1f77b4", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"];

    public static string ToCsv(IEnumerable<HangSample> samples)
    {
        var csv = new StringBuilder("way,seconds,queue,backlog,again\n");
        foreach (HangSample sample in samples)
        {
            csv.Append(
                CultureInfo.InvariantCulture,
                $"{sample.Way},{sample.Seconds:F1},{sample.QueueId},{sample.Backlog},{sample.Again}\n");
        }

        return csv.ToString();
    }

    /// <summary>Backlog over time, a panel for each way and a line for each queue, on the same scales.</summary>
    public static string ToSvg(IReadOnlyList<HangSample> samples, double hangsFrom, double hangsTo)
    {
        double seconds = samples.Max(sample => sample.Seconds);
        double most = Math.Max(1, samples.Max(sample => sample.Backlog));
        string[] ways = [.. samples.Select(sample => sample.Way).Distinct()];
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{ways.Length * PanelHeight}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        foreach ((int panel, string way) in ways.Index())
        {
            double top = (panel * PanelHeight) + 30;
            double bottom = ((panel + 1) * PanelHeight) - 40;
            double X(double at) => Margin + (at / seconds * (Width - (2 * Margin)));
            double Y(double value) => bottom - (value / most * (bottom - top));
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<rect x=\"{X(hangsFrom):F1}\" y=\"{top:F1}\" width=\"{X(hangsTo) - X(hangsFrom):F1}\" height=\"{bottom - top:F1}\" fill=\"#eeeeee\"/>\n");
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Margin}\" y=\"{top - 10:F1}\">{way}: messages waiting in each queue; grey: one consumer of three hangs</text>\n");
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<path d=\"M{Margin},{top:F1} V{bottom:F1} H{Width - Margin}\" fill=\"none\" stroke=\"black\"/>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"5\" y=\"{top + 5:F1}\">{most:F0}</text><text x=\"5\" y=\"{bottom:F1}\">0</text>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - Margin - 30}\" y=\"{bottom + 20:F1}\">{seconds:F0} s</text>\n");
            foreach (IGrouping<int, HangSample> queue in samples.Where(sample => sample.Way == way).GroupBy(sample => sample.QueueId))
            {
                string points = string.Join(
                    ' ', queue.Select(sample => string.Create(CultureInfo.InvariantCulture, $"{X(sample.Seconds):F1},{Y(sample.Backlog):F1}")));
                svg.Append(
                    CultureInfo.InvariantCulture,
                    $"<polyline points=\"{points}\" fill=\"none\" stroke=\"{Colours[queue.Key % Colours.Length]}\" stroke-width=\"1.5\"/>\n");
            }
        }

        return svg.Append("</svg>\n").ToString();
    }
}
