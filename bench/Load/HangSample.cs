using System.Globalization;
using System.Text;
using GrayMQ.Testing;

namespace GrayMQ.Load;

/// <summary>How much of a queue was left to consume at a moment.</summary>
/// <param name="Way">pull or pop.</param>
/// <param name="Backlog">Messages stored and not handed to anybody who is done with them (pull) or has them in hand (pop).</param>
/// <param name="Again">Messages that came again and were acked, up to then.</param>
internal sealed record HangSample(string Way, double Seconds, int QueueId, long Backlog, long Again)
{
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
    public static string ToSvg(IReadOnlyList<HangSample> samples, double hangsFrom, double hangsTo) => TimePlot.Draw(
    [
        .. samples.GroupBy(sample => sample.Way).Select(way => new PlotPanel(
            $"{way.Key}: messages waiting in each queue; grey: one consumer of three hangs",
            [
                .. way.GroupBy(sample => sample.QueueId).Select(queue => new PlotLine(
                    "", Colours[queue.Key % Colours.Length], [.. queue.Select(sample => (sample.Seconds, (double)sample.Backlog))])),
            ])
        {
            Bands = [(hangsFrom, hangsTo)],
        }),
    ]);
}
