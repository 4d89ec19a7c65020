using System.Globalization;
using System.Text;

namespace GrayMQ.Chaos.Warmups;

/// <summary>Draws a broker's part of the sends over time, as SVG: with a warm-up, without, and what the curve would have.</summary>
internal static class SharePlot
{
    private const double Left = 60;
    private const double Right = 840;
    private const double Top = 40;
    private const double Bottom = 300;

    // A third is the whole share of one broker among three.
    private const double MostShare = 0.4;

    public static string Draw(WarmupOptions options, ShareByTime grown, ShareByTime cold, Func<TimeSpan, double> curve)
    {
        double end = grown.Seconds[^1].At.TotalSeconds;
        var svg = new StringBuilder();
        svg.Append("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"360\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"20\">part of the sends of one broker of three, by second from its first send on; ");
        svg.Append(CultureInfo.InvariantCulture, $"warmupMs={options.Warmup.TotalMilliseconds:F0}, {options.Producers} producers that ask for the route every {options.RoutePoll.TotalSeconds:F0} s</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left},{Top} V{Bottom} H{Right}\" fill=\"none\" stroke=\"black\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"20\" y=\"{Top + 4}\">{MostShare:P0}</text><text x=\"30\" y=\"{Bottom}\">0</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Right - 20}\" y=\"{Bottom + 18}\">{end:F0} s</text>\n");
        Line("#999999", Enumerable.Range(0, (int)end).Select(second => (second + 0.5, curve(TimeSpan.FromSeconds(second + 0.5)))));
        Line("#d62728", Of(cold));
        Line("#1f77b4", Of(grown));
        Legend(0, "#1f77b4", "with warm-up");
        Legend(1, "#999999", "the curve that is configured");
        Legend(2, "#d62728", "without");
        return svg.Append("</svg>\n").ToString();

        void Line(string colour, IEnumerable<(double At, double Share)> points)
        {
            IEnumerable<string> path = points.Where(point => point.At <= end).Select(point => string.Create(
                CultureInfo.InvariantCulture,
                $"{Left + (point.At / end * (Right - Left)):F1},{Bottom - (Math.Min(point.Share, MostShare) / MostShare * (Bottom - Top)):F1}"));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{string.Join(' ', path)}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n");
        }

        void Legend(int place, string colour, string text) => svg.Append(
            CultureInfo.InvariantCulture,
            $"<text x=\"{Left + (place * 220)}\" y=\"{Bottom + 40}\" fill=\"{colour}\">{text}</text>\n");
    }

    private static IEnumerable<(double At, double Share)> Of(ShareByTime share) =>
        share.Seconds.Select(second => (second.At.TotalSeconds, second.Share));
}
