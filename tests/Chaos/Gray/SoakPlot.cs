using System.Globalization;
using GrayMQ.Testing;

namespace GrayMQ.Chaos.Gray;

/// <summary>A promotion as a picture, from the lines of a <see cref="SoakLog"/>.</summary>
internal static class SoakPlot
{
    private const double SecondsBefore = 12;
    private const double SecondsAfter = 8;
    private const string Begun = " is to be promoted ";
    private const string Promoted = " is promoted ";

    /// <summary>Draws the first promotion of the log, a panel for each group.</summary>
    /// <exception cref="InvalidDataException">There is none in the log.</exception>
    public static string Draw(IEnumerable<string> lines)
    {
        string[][] rows = [.. lines.Select(line => line.Split('\t'))];
        (double Seconds, string What)[] events = [.. rows.Where(row => row[1] == "event").Select(row => (SecondsOf(row), row[2]))];
        (double Seconds, string What) begun = events.FirstOrDefault(each => each.What.Contains(Begun, StringComparison.Ordinal));
        if (begun.What is null)
        {
            throw new InvalidDataException("nothing is promoted in this log");
        }

        // The line of all groups together ends with it.
        string ended = begun.What.Replace(Begun, Promoted, StringComparison.Ordinal);
        double end = events.First(each => each.What == ended).Seconds;
        return TimePlot.Draw(
        [
            .. rows.Where(row => row[1] == "backlog" && SecondsOf(row) > begun.Seconds - SecondsBefore && SecondsOf(row) < end + SecondsAfter)
                .GroupBy(row => row[2])
                .Select(group => new PlotPanel(
                    $"{group.Key}: messages of {Shape.Orders} that are not consumed",
                    [
                        new PlotLine("in gray queues", "#d62728", [.. group.Select(row => (SecondsOf(row), ValueOf(row, 3)))]),
                        new PlotLine("in normal queues", "#1f77b4", [.. group.Select(row => (SecondsOf(row), ValueOf(row, 4)))]),
                    ])
                {
                    Marks =
                    [
                        (begun.Seconds, "promote"),
                        .. events.Where(each => each.What == $"{group.Key}: {ended}").Take(1)
                            .Select(each => (each.Seconds, "drained: the queues have changed hands")),
                    ],
                }),
        ]);
    }

    private static double SecondsOf(string[] row) => double.Parse(row[0], CultureInfo.InvariantCulture);

    private static double ValueOf(string[] row, int column) => double.Parse(row[column], CultureInfo.InvariantCulture);
}
