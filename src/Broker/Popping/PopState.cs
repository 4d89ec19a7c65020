using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Store;
using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Pops;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Popping;

/// <summary>What popping keeps: check points, who waits, and the reviver; and how it follows topics, groups and offsets.</summary>
internal sealed class PopState : IDisposable
{
    private readonly ConsumerOffsetTable _offsets;
    private readonly ILogger<PopState> _logger;
    private PopReviver? _reviver;

    /// <exception cref="InvalidDataException">A check point on disk is broken.</exception>
    public PopState(
        KeyValueStore values, ConsumerOffsetTable offsets, ParkLimits limits, GrayTable gray, TimeProvider time, ILoggerFactory loggers)
    {
        _offsets = offsets;
        _logger = loggers.CreateLogger<PopState>();
        CheckPoints = new PopStore(values);
        Parked = new ParkedPops(limits, gray, time);
        CheckPoints.Freed = (queue, refused) => Parked.WakeFreed((PopTarget)refused, queue);
    }

    public PopStore CheckPoints { get; }

    public PopTargets Targets { get; } = new();

    public ParkedPops Parked { get; }

    /// <summary>Brings check points, offsets and log together, and follows the tables from now on. Called once the store is open.</summary>
    public void Recover(TopicTable topics, SubscriptionGroupTable groups, MessageStore messages, long logFileBytes)
    {
        new PopRecovery(CheckPoints, _offsets, messages, logFileBytes, _logger).Run(topics, groups);
        topics.Changed += change => ForEach(change.Deleted, RemoveTopic);
        groups.Changed += change => ForEach(change.Deleted, RemoveGroup);
        _offsets.Moving += Move;
        _offsets.Moved += Wake;
        _offsets.MovedByCommit += Follow;
        _offsets.BeforeSync = CheckPoints.Sync;
    }

    /// <summary>Wakes all who wait for something of a group, to look again.</summary>
    public void WakeGroup(string group)
    {
        foreach (PopTarget target in Targets.All)
        {
            if (target.Group == group)
            {
                Parked.WakeAll(target);
            }
        }
    }

    /// <summary>Says who gives messages back whose time is up.</summary>
    public void ReviveWith(PopReviver reviver) => _reviver = reviver;

    public void Start() => _reviver?.Start();

    /// <summary>Ends what appends to the store.</summary>
    public ValueTask StopAsync() => _reviver?.StopAsync() ?? ValueTask.CompletedTask;

    public void Dispose()
    {
        _reviver?.Dispose();
        Parked.Dispose();
        CheckPoints.Dispose();
    }

    private static void ForEach(IReadOnlyList<string> names, Action<string> remove)
    {
        foreach (string name in names)
        {
            remove(name);
        }
    }

    private void RemoveTopic(string topic)
    {
        CheckPoints.RemoveTopic(topic);
        Forget(Targets.RemoveTopic(topic));
    }

    private void RemoveGroup(string group)
    {
        CheckPoints.RemoveGroup(group);
        Forget(Targets.RemoveGroup(group));
    }

    private void Forget(IEnumerable<PopTarget> targets)
    {
        foreach (PopTarget target in targets)
        {
            Parked.Forget(target);
        }
    }

    // The pops' own offsets first: should the process end in between, the move has not happened, and nobody was told that it had.
    private void Move(string group, string topic, IReadOnlyDictionary<int, long> offsets)
    {
        if (CheckPoints.Topics.Find(group, topic) is not { } popped)
        {
            return;
        }

        foreach ((int queueId, long offset) in offsets)
        {
            if (popped.FindQueue(queueId) is { } queue)
            {
                lock (queue.Gate)
                {
                    CheckPoints.Reset(queue, offset);
                }
            }
        }
    }

    // A consumer that pulls as well has sought, which pops would only see when the next one comes.
    private void Follow(ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic, int queueId, long offset)
    {
        if (CheckPoints.Topics.Find(group, topic)?.FindQueue(queueId) is not { } queue)
        {
            return;
        }

        lock (queue.Gate)
        {
            // A pop may have seen it, and gone on, or somebody else have sought again.
            if (queue.ToldOffset == offset || _offsets.Find(group, topic, queueId) != offset)
            {
                return;
            }

            try
            {
                CheckPoints.Follow(queue, offset);
            }
            catch (KeyValueStoreException e)
            {
                Log.PopNotMoved(_logger, e, queue.Group, offset, queue.Topic, queueId);
            }
        }

        if (Targets.Find(group, topic) is { } target)
        {
            Parked.WakeOne(target, queueId);
        }
    }

    private void Wake(string group, string topic)
    {
        if (Targets.Find(group, topic) is { } target)
        {
            Parked.WakeAll(target);
        }
    }
}
