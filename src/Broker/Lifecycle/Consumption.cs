using GrayMQ.Broker.Popping;
using GrayMQ.Broker.Pulling;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>The last steps of a broker that leaves, which are its consumers': what is stored is consumed, and what was delivered is committed.</summary>
internal sealed class Consumption(
    LifecycleOptions options,
    BrokerLifecycle lifecycle,
    SendActivity sends,
    RouteView view,
    WorkLeft work,
    ParkedPulls pulls,
    ParkedPops pops,
    DrainProgress progress,
    TimeProvider time,
    ILogger<Consumption> logger)
{
    // Topics that are named to people.
    private const int MostNamed = 20;

    /// <summary>Looks in a row that have to find nothing left: one misses a message that is in the log and not yet in its queue.</summary>
    private const int LooksToBelieve = 2;

    public bool AnyConsumer => work.AnyConsumer;

    /// <summary>Topics that were sent to lately, and that no other broker takes messages of.</summary>
    public IEnumerable<string> TopicsThatCannotMove => sends
        .TopicsSince(time.GetTimestamp() - (long)(options.Quiet.TotalSeconds * time.TimestampFrequency))
        .Where(topic => !view.Moved.Contains(topic));

    /// <summary>
    /// The broker does not come back: whatever is stored here is consumed first, however long it takes. When the process has to end meanwhile,
    /// its time is what a drain may take: what is left stays on the disk.
    /// </summary>
    public async Task UntilNothingIsLeftAsync(CancellationToken cancel)
    {
        while (true)
        {
            bool isConsumed = await UntilConsumedAsync(limit: null, cancel).ConfigureAwait(false);

            // What came since the last look is consumed as well, and nothing comes after it.
            lifecycle.RefuseAllSends();
            if (!isConsumed || await UntilConsumedAsync(options.Quiet, cancel).ConfigureAwait(false) || progress.IsOutOfTime)
            {
                return;
            }

            // It may have become a dead letter, or be due in days: who has nowhere else to send to is served till then.
            lifecycle.TakeSendsThatCannotMove();
        }
    }

    /// <summary>Hands nothing out any more, and waits until what was delivered is committed and acknowledged here rather than delivered twice.</summary>
    public async Task UntilCommittedAsync(CancellationToken cancel)
    {
        pulls.Hold();
        pops.Hold();
        lifecycle.HoldBack();
        long begun = time.GetTimestamp();
        while (work.AnyConsumer && time.GetElapsedTime(begun) < options.Consumers)
        {
            long uncommitted = work.CountUncommitted();
            long popped = work.PopsInFlight;
            if (uncommitted == 0 && popped == 0)
            {
                return;
            }

            progress.WaitingFor = $"consumers to commit {uncommitted} and to acknowledge {popped} messages";
            await progress.PauseAsync(cancel).ConfigureAwait(false);
        }
    }

    /// <summary>The broker stays after all: pulls and pops are answered again.</summary>
    public void Release()
    {
        pulls.Release();
        pops.Release();
    }

    // False when there is something left and the limit, or the process's time, is over.
    private async Task<bool> UntilConsumedAsync(TimeSpan? limit, CancellationToken cancel)
    {
        long begun = time.GetTimestamp();
        for (int looksWithout = 0; looksWithout < LooksToBelieve && progress.Request is not { Abandon: true };)
        {
            string? left = DescribeUnconsumed() ?? DescribeSentTo();
            looksWithout = left is null ? looksWithout + 1 : 0;
            if (left is not null && progress.IsOutOfTime)
            {
                Log.DrainNotConsumed(logger, left);
                return false;
            }

            if (left is not null && time.GetElapsedTime(begun) >= limit)
            {
                return false;
            }

            progress.WaitingFor = left
                ?? (limit is null ? "a last look for what is left to be consumed" : "a last look for what came before every send was refused");
            await progress.PauseAsync(cancel).ConfigureAwait(false);
        }

        return true;
    }

    // What becomes backlog is counted before the backlog, so that a message on its way from one to the other is counted in one of them.
    private string? DescribeUnconsumed()
    {
        long transactions = work.Transactions;
        long delayed = work.Delayed;
        long popped = work.PopsInFlight;
        List<string> left = [.. work.FindBacklog().Select(group => $"{group.Value} messages for group {group.Key}")];
        left.AddRange(work.FindDeadLetters().Select(topic => $"{topic.Value} messages in {topic.Key}"));
        Add(delayed, "delayed messages");
        Add(transactions, "transactions");
        Add(popped, "messages that were popped");
        return left.Count == 0 ? null : string.Join(", ", left);

        void Add(long count, string what)
        {
            if (count > 0)
            {
                left.Add($"{count} {what}");
            }
        }
    }

    // Their producers have nowhere else to go, and are to be given somewhere before this broker is no more.
    private string? DescribeSentTo()
    {
        string[] topics = lifecycle.RefusesAllSends ? [] : [.. TopicsThatCannotMove.Order(StringComparer.Ordinal).Take(MostNamed)];
        return topics.Length == 0
            ? null
            : $"the producers of {string.Join(", ", topics)}, which no other broker takes: none may send for {options.Quiet.TotalSeconds} s";
    }
}
