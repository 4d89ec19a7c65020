using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Gray;

/// <summary>Waits until what a command has begun is over.</summary>
internal static class GrayWait
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>Returns how it ended; tells of progress meanwhile.</summary>
    /// <param name="summary">What is returned when nothing is under way.</param>
    /// <exception cref="CommandFailure">It was taken back.</exception>
    public static async Task<string> UntilEndedAsync(ToolRun run, GrayCommand command, string summary, CancellationToken cancel)
    {
        string subject = command.Topic ?? command.Group!;
        long begun = -1;
        string told = "";
        while (true)
        {
            GrayStatus status = await run.Cluster.Admin.GetGrayStatusAsync(cancel).ConfigureAwait(false);
            GrayStatusOfChange? change = status.Changes.Find(change => change.Subject == subject && IsOfTopic(change) == command.Topic is not null);
            if (change is null)
            {
                return begun < 0 && command.Action is not (GrayAction.EnableTopic or GrayAction.DisableTopic or GrayAction.Promote or GrayAction.Withdraw)
                    ? summary
                    : await EndAsync(run, command, subject, cancel).ConfigureAwait(false);
            }

            begun = change.Version;
            GrayStatusOfPart[] missing = [.. change.Parts.Where(part => !part.Done)];
            string progress = string.Join(
                "; ",
                missing.Select(part => part.Remaining > 0
                    ? $"{part.Broker}: {Printable.Number(part.Remaining)} messages, {part.Reason}"
                    : $"{part.Broker}: {part.Reason}"));
            if (progress != told && progress.Length > 0)
            {
                run.Note(progress);
                told = progress;
            }

            await Task.Delay(Interval, run.Context.Time, cancel).ConfigureAwait(false);
        }
    }

    private static bool IsOfTopic(GrayStatusOfChange change) => change.Action is GrayAction.EnableTopic or GrayAction.DisableTopic;

    // What the history says last is how it ended: by all brokers, by force, or by somebody who took it back.
    private static async Task<string> EndAsync(ToolRun run, GrayCommand command, string subject, CancellationToken cancel)
    {
        IReadOnlyList<GrayHistoryEntry> last =
            await run.Cluster.Admin.GetGrayHistoryAsync(subject, maxCount: 1, cancel: cancel).ConfigureAwait(false);
        GraySnapshot? snapshot = await run.Cluster.Admin.FindGrayStateAsync(cancel).ConfigureAwait(false);
        GrayReleaseKind kind = command.Producer ? GrayReleaseKind.Producer : GrayReleaseKind.Consumer;
        bool takenBack = command.Action switch
        {
            GrayAction.Promote or GrayAction.Withdraw => snapshot?.FindOpen(subject, kind) is not null,
            GrayAction.EnableTopic => snapshot?.FindTopic(subject) is not { State: GrayTopicState.On },
            _ => false,
        };
        string summary = last.Count > 0 ? last[0].Summary : "it has ended";
        return takenBack ? throw new CommandFailure(ExitCode.Failure, summary) : summary;
    }
}
