using System.Globalization;
using GrayMQ.Testing;

namespace GrayMQ.Chaos.Rolling;

/// <summary>Draws what two runs came to, below each other on the same scales: failed sends, the slowest send, what a group was given.</summary>
internal static class RollingPlot
{
    private const string Green = "#2ca02c";
    private const string Red = "#d62728";
    private const string Blue = "#1f77b4";

    public static string Draw(params IReadOnlyList<RollingResult> runs)
    {
        double mostFailed = Most(runs, SendRecord.FailedSeries);
        double mostSlow = Most(runs, SendRecord.SlowestSeries);
        double mostGiven = runs.Max(run => run.Groups[0].Series is var series ? Most([run], series) : 0);
        return TimePlot.Draw(
        [
            .. runs.SelectMany(run => new[]
            {
                Panel(run, "sends that failed, in each half second", SendRecord.FailedSeries, Red, mostFailed, run.Failed),
                Panel(run, "the slowest send of each half second, ms", SendRecord.SlowestSeries, Blue, mostSlow, (long)run.Slowest.TotalMilliseconds),
                Panel(
                    run, $"messages given to the group {run.Groups[0].Name} in each half second; longest gap, ms", run.Groups[0].Series, Green,
                    mostGiven, (long)run.Groups[0].LongestGap.TotalMilliseconds),
            }),
        ]);
    }

    private static PlotPanel Panel(RollingResult run, string what, string series, string colour, double most, long sum) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{run.Name}: {what} ({sum})"), [new PlotLine("", colour, run.Timeline.Of(series))])
        {
            Most = most,
            Bands = run.Timeline.Bands,
        };

    private static double Most(IReadOnlyList<RollingResult> runs, string series) =>
        Math.Max(1, runs.Max(run => run.Timeline.Of(series).Max(point => point.Value)));
}
