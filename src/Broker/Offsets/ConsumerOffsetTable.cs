using System.Collections.Concurrent;
using System.Net;
using System.Text;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Names;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Offsets;

/// <summary>
/// How far each group has consumed each queue (RocketMQ: ConsumerOffsetManager). Asking and committing by the bytes of a request
/// allocates nothing. A commit is in the database, and so survives the end of the process, within
/// <see cref="OffsetOptions.WriteIntervalMs"/>, or when <see cref="Write()"/> returns; it survives the end of the machine within
/// <see cref="OffsetOptions.FlushConsumerOffsetInterval"/>.
/// </summary>
public sealed class ConsumerOffsetTable : IDisposable
{
    /// <summary>The answer where no offset is known.</summary>
    public const long None = ConsumerOffsets.None;

    internal const string VersionName = "consumerOffsets";

    private readonly ConcurrentDictionary<GroupTopic, ConsumerOffsets> _offsets = new(GroupTopicComparer.Instance);
    private readonly ConcurrentDictionary<GroupTopic, ConsumerOffsets>.AlternateLookup<GroupTopicUtf8> _offsetsByUtf8;
    private readonly OffsetOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly OffsetWriter _writer;
    private readonly Lock _versions = new();
    private DataVersion _version;
    private long _commits;

    // Zero on a broker where no reset waits for its consumer, which spares each pull a look-up.
    private int _pendingResets;

    private ConsumerOffsetTable(MetadataStore store, OffsetOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _offsetsByUtf8 = _offsets.GetAlternateLookup<GroupTopicUtf8>();
        _version = store.ReadVersion(VersionName) ?? new DataVersion(0, 0, time.GetUtcNow().ToUnixTimeMilliseconds());
        Load(store);
        _writer = new OffsetWriter(store, options, () => Version, time, logger);
    }

    /// <summary>
    /// A group is about to be moved by an administrator: the group, the topic, and the offsets by queue id. Raised before the move is in
    /// the database, so that whoever keeps the group's offsets as well has moved first.
    /// </summary>
    public event Action<string, string, IReadOnlyDictionary<int, long>>? Moving;

    /// <summary>A group was moved by a commit, to another offset than before; raised afterwards, and not for <see cref="CommitFrom"/>.</summary>
    internal event MoveListener? MovedByCommit;

    /// <inheritdoc cref="OffsetWriter.BeforeSync"/>
    internal Action? BeforeSync
    {
        get => _writer.BeforeSync;
        set => _writer.BeforeSync = value;
    }

    /// <summary>The group, and the topic in which it was moved.</summary>
    public event Action<string, string>? Moved;

    /// <summary>Grows once in <see cref="OffsetOptions.ConsumerOffsetUpdateVersionStep"/> commits.</summary>
    public DataVersion Version
    {
        get
        {
            lock (_versions)
            {
                return _version;
            }
        }
    }

    /// <exception cref="MetadataException">An offset on disk is broken.</exception>
    public static ConsumerOffsetTable Open(MetadataStore store, OffsetOptions options, TimeProvider time, ILoggerFactory logs) =>
        new(store, options, time, logs.CreateLogger<ConsumerOffsetTable>());

    /// <summary>
    /// Where the group goes on in the queue: where it was reset to and does not know yet, else what it committed;
    /// <see cref="None"/> when it never did.
    /// </summary>
    public long Find(ReadOnlySpan<byte> utf8Group, ReadOnlySpan<byte> utf8Topic, int queueId) =>
        _offsetsByUtf8.TryGetValue(new GroupTopicUtf8(utf8Group, utf8Topic), out ConsumerOffsets? offsets) ? Find(offsets, queueId) : None;

    /// <inheritdoc cref="Find(ReadOnlySpan{byte}, ReadOnlySpan{byte}, int)"/>
    public long Find(string group, string topic, int queueId) =>
        _offsets.TryGetValue(new GroupTopic(group, topic), out ConsumerOffsets? offsets) ? Find(offsets, queueId) : None;

    /// <summary>Where the group's next pull is expected, else as <see cref="Find(string, string, int)"/>.</summary>
    public long FindPulled(string group, string topic, int queueId)
    {
        if (!_offsets.TryGetValue(new GroupTopic(group, topic), out ConsumerOffsets? offsets))
        {
            return None;
        }

        long pulled = offsets.Pulled(queueId);
        return pulled != None ? pulled : Find(offsets, queueId);
    }

    /// <summary>By queue id, what the group has committed of the topic; empty when nothing.</summary>
    public Dictionary<int, long> FindAll(string group, string topic) =>
        _offsets.TryGetValue(new GroupTopic(group, topic), out ConsumerOffsets? offsets) ? offsets.ToDictionary() : [];

    /// <summary>Takes over an offset as a client says it, also when it is lower than before.</summary>
    /// <param name="client">Who says so, for the log.</param>
    /// <param name="upwardsOnly">A lower offset is ignored.</param>
    /// <exception cref="RemotingException">There are no queues with such an id (INVALID_PARAMETER).</exception>
    public CommitOutcome Commit(
        ReadOnlySpan<byte> utf8Group,
        ReadOnlySpan<byte> utf8Topic,
        int queueId,
        long offset,
        EndPoint? client = null,
        bool upwardsOnly = false)
    {
        if (offset < 0)
        {
            return CommitOutcome.Ignored;
        }

        CommitOutcome outcome = Commit(utf8Group, utf8Topic, queueId, null, offset, client, out long before, upwardsOnly);
        if (outcome == CommitOutcome.Committed && before != offset)
        {
            MovedByCommit?.Invoke(utf8Group, utf8Topic, queueId, offset);
        }

        return outcome;
    }

    /// <summary>
    /// Takes over an offset from whoever moves the group along, unless somebody else has moved it elsewhere meanwhile.
    /// </summary>
    /// <param name="expected">Where he took the group to stand; <see cref="None"/> for nowhere.</param>
    public CommitOutcome CommitFrom(
        ReadOnlySpan<byte> utf8Group, ReadOnlySpan<byte> utf8Topic, int queueId, long expected, long offset) =>
        offset < 0 ? CommitOutcome.Ignored : Commit(utf8Group, utf8Topic, queueId, expected, offset, null, out _);

    /// <inheritdoc cref="Commit(ReadOnlySpan{byte}, ReadOnlySpan{byte}, int, long, EndPoint?, bool)"/>
    public CommitOutcome Commit(string group, string topic, int queueId, long offset) =>
        Commit(Encoding.UTF8.GetBytes(group), Encoding.UTF8.GetBytes(topic), queueId, offset);

    /// <summary>Remembers, in memory only, where the group's next pull is expected.</summary>
    public void RecordPull(ReadOnlySpan<byte> utf8Group, ReadOnlySpan<byte> utf8Topic, int queueId, long nextOffset)
    {
        if ((uint)queueId >= OffsetOptions.MaxQueues)
        {
            return;
        }

        var name = new GroupTopicUtf8(utf8Group, utf8Topic);
        if (!_offsetsByUtf8.TryGetValue(name, out ConsumerOffsets? offsets))
        {
            offsets = Add(GroupTopicComparer.Instance.Create(name));
        }

        offsets.RecordPull(queueId, nextOffset);
    }

    /// <summary>Where the consumer has to go on because the queue was reset; asked once, it is known. Null mostly.</summary>
    public long? TakeReset(ReadOnlySpan<byte> utf8Group, ReadOnlySpan<byte> utf8Topic, int queueId)
    {
        if (Volatile.Read(ref _pendingResets) == 0
            || !_offsetsByUtf8.TryGetValue(new GroupTopicUtf8(utf8Group, utf8Topic), out ConsumerOffsets? offsets))
        {
            return null;
        }

        long reset = offsets.TakeReset(queueId);
        if (reset == None)
        {
            return null;
        }

        Interlocked.Decrement(ref _pendingResets);
        return reset;
    }

    /// <summary>Lets the group go on from other offsets; returns when that is in the database.</summary>
    /// <param name="offsets">By queue id.</param>
    public void Reset(string group, string topic, IReadOnlyDictionary<int, long> offsets)
    {
        foreach ((int queueId, long offset) in offsets)
        {
            CheckQueueId(queueId);
            ArgumentOutOfRangeException.ThrowIfNegative(offset);
        }

        Moving?.Invoke(group, topic, offsets);
        ConsumerOffsets found;
        bool enlist;
        int added;
        do
        {
            found = Add(new GroupTopic(group, topic));
        }
        while (!found.TryReset(offsets, _options.UseServerSideResetOffset, out enlist, out added));

        Interlocked.Add(ref _pendingResets, added);
        if (enlist)
        {
            _writer.Enlist(found);
        }

        _writer.Write();
        Moved?.Invoke(group, topic);
    }

    /// <summary>Gives a group the offsets of another one, in place of its own; false when that has none.</summary>
    public bool Clone(string sourceGroup, string targetGroup, string topic)
    {
        Dictionary<int, long> source = FindAll(sourceGroup, topic);
        if (source.Count == 0)
        {
            return false;
        }

        Moving?.Invoke(targetGroup, topic, source);
        ConsumerOffsets found;
        bool enlist;
        do
        {
            found = Add(new GroupTopic(targetGroup, topic));
        }
        while (!found.TryReplace(source, out enlist));

        if (enlist)
        {
            _writer.Enlist(found);
        }

        _writer.Write();
        Moved?.Invoke(targetGroup, topic);
        return true;
    }

    /// <summary>Returns when all commits that were made before are in the database.</summary>
    /// <exception cref="KeyValueStoreException">The database cannot be written; the commits hold in memory.</exception>
    public void Write() => _writer.Write();

    /// <summary>Returns when all that this group committed of the topic before is in the database.</summary>
    /// <exception cref="KeyValueStoreException">The database cannot be written; the commits hold in memory.</exception>
    public void Write(ReadOnlySpan<byte> utf8Group, ReadOnlySpan<byte> utf8Topic)
    {
        if (_offsetsByUtf8.TryGetValue(new GroupTopicUtf8(utf8Group, utf8Topic), out ConsumerOffsets? offsets) && !offsets.IsWritten)
        {
            _writer.Write(offsets);
        }
    }

    /// <summary>Forgets what all groups committed of a topic, also on the disk.</summary>
    public void RemoveTopic(string topic) => Remove(name => name.Topic == topic);

    /// <summary>Forgets what one group committed of a topic, also on the disk.</summary>
    public void RemoveTopic(string group, string topic) => Remove(name => name.Topic == topic && name.Group == group);

    /// <summary>Forgets all that a group committed, also on the disk.</summary>
    public void RemoveGroup(string group) =>
        Remove(name => name.Group == group || name.Group.StartsWith(group + GroupTopic.Separator, StringComparison.Ordinal));

    /// <summary>Topics of which the group has committed offsets, in ordinal order.</summary>
    public IReadOnlyList<string> TopicsOf(string group) =>
        [.. Committed().Where(pair => pair.Key.Group == group).Select(pair => pair.Key.Topic).Order(StringComparer.Ordinal)];

    /// <summary>Groups that have committed offsets of the topic, in ordinal order.</summary>
    public IReadOnlyList<string> GroupsOf(string topic) =>
        [
            .. Committed().Where(pair => pair.Key.Topic == topic && pair.Key.IsOfClients)
                .Select(pair => pair.Key.Group).Order(StringComparer.Ordinal),
        ];

    /// <summary>The table as it travels and as consumerOffset.json holds it.</summary>
    public ConsumerOffsetSerializeWrapper ToWrapper()
    {
        DataVersion version = Version;
        List<KeyValuePair<GroupTopic, ConsumerOffsets>> committed =
            [.. Committed().OrderBy(pair => pair.Key.Topic, StringComparer.Ordinal).ThenBy(pair => pair.Key.Group, StringComparer.Ordinal)];
        return new ConsumerOffsetSerializeWrapper
        {
            DataVersion = version,
            GroupTopicMap = committed.Where(pair => pair.Key.IsOfClients).GroupBy(pair => pair.Key.Group, StringComparer.Ordinal)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Select(pair => pair.Key.Topic).ToList(), StringComparer.Ordinal),
            OffsetTable = committed.ToDictionary(
                pair => pair.Key.ToString(), pair => pair.Value.ToDictionary(), StringComparer.Ordinal),
        };
    }

    /// <summary>Brings everything to the disk.</summary>
    public void Dispose() => _writer.Dispose();

    private static long Find(ConsumerOffsets offsets, int queueId)
    {
        long reset = offsets.PendingReset(queueId);
        return reset != None ? reset : offsets.Committed(queueId);
    }

    private static void CheckQueueId(int queueId)
    {
        if ((uint)queueId >= OffsetOptions.MaxQueues)
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter, $"queueId {queueId} is not one of 0 to {OffsetOptions.MaxQueues - 1}");
        }
    }

    private IEnumerable<KeyValuePair<GroupTopic, ConsumerOffsets>> Committed() => _offsets.Where(pair => !pair.Value.IsEmpty);

    private ConsumerOffsets Add(GroupTopic name) => _offsets.GetOrAdd(name, static key => new ConsumerOffsets(key));

    private CommitOutcome Commit(
        ReadOnlySpan<byte> utf8Group,
        ReadOnlySpan<byte> utf8Topic,
        int queueId,
        long? expected,
        long offset,
        EndPoint? client,
        out long before,
        bool upwardsOnly = false)
    {
        CheckQueueId(queueId);
        var name = new GroupTopicUtf8(utf8Group, utf8Topic);
        while (true)
        {
            if (!_offsetsByUtf8.TryGetValue(name, out ConsumerOffsets? offsets))
            {
                offsets = Add(GroupTopicComparer.Instance.Create(name));
            }

            if (TryCommit(offsets, queueId, expected, offset, client, upwardsOnly, out CommitOutcome outcome, out before))
            {
                return outcome;
            }
        }
    }

    private bool TryCommit(
        ConsumerOffsets offsets,
        int queueId,
        long? expected,
        long offset,
        EndPoint? client,
        bool upwardsOnly,
        out CommitOutcome outcome,
        out long before)
    {
        if (!offsets.TryCommit(queueId, expected, offset, out outcome, out bool enlist, out before, upwardsOnly))
        {
            return false;
        }

        if (outcome == CommitOutcome.Committed)
        {
            if (offset < before)
            {
                Log.OffsetCommittedLower(_logger, offsets.Name.Group, offsets.Name.Topic, queueId, offset, before, client);
            }

            if (Interlocked.Increment(ref _commits) % _options.ConsumerOffsetUpdateVersionStep == 0)
            {
                lock (_versions)
                {
                    _version = _version.Next(_time.GetUtcNow().ToUnixTimeMilliseconds());
                }
            }
        }

        if (enlist)
        {
            _writer.Enlist(offsets);
        }

        return true;
    }

    private void Remove(Func<GroupTopic, bool> match)
    {
        List<ConsumerOffsets> removed = [.. _offsets.Where(pair => match(pair.Key)).Select(pair => pair.Value)];
        if (removed.Count == 0)
        {
            return;
        }

        _writer.Delete(removed, () =>
        {
            foreach (ConsumerOffsets offsets in removed)
            {
                Interlocked.Add(ref _pendingResets, -offsets.Remove());
                _offsets.TryRemove(new KeyValuePair<GroupTopic, ConsumerOffsets>(offsets.Name, offsets));
            }
        });
        Log.OffsetsRemoved(_logger, removed.Count, string.Join(", ", removed.Select(offsets => offsets.Name)));
    }

    private void Load(MetadataStore store)
    {
        foreach (KeyValueEntry entry in store.Values.Scan(store.ConsumerOffsets))
        {
            if (!GroupTopic.TryParse(Encoding.UTF8.GetString(entry.Key), out GroupTopic name))
            {
                throw store.Broken(store.ConsumerOffsets, entry.Key, "the key is not topic@group");
            }

            var offsets = new ConsumerOffsets(name);
            if (offsets.Decode(entry.Value) is { } problem)
            {
                throw store.Broken(store.ConsumerOffsets, entry.Key, problem);
            }

            _offsets[name] = offsets;
        }
    }
}
