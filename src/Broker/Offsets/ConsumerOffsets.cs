using System.Buffers.Binary;
using System.Text;
using GrayMQ.Broker.Names;

namespace GrayMQ.Broker.Offsets;

/// <summary>
/// How far one group has consumed one topic. Reads take no lock; changes take one of this object's own, which at most the
/// consumers of its queues contend for.
/// </summary>
internal sealed class ConsumerOffsets
{
    /// <summary>Where nothing was committed.</summary>
    public const long None = -1;

    private const int InitialQueues = 4;
    private const int EntryBytes = sizeof(int) + sizeof(long);

    private readonly Lock _changes = new();

    // By queue id. An array that is too short is replaced by a longer one.
    private long[] _committed = [];
    private long[] _pulled = [];
    private long[] _resets = [];

    private bool _removed;
    private bool _enlisted;
    private long _changeCount;
    private long _writtenCount;

    public ConsumerOffsets(GroupTopic name)
    {
        Name = name;
        Key = Encoding.UTF8.GetBytes(name.ToString());
    }

    public GroupTopic Name { get; }

    /// <summary><c>topic@group</c> in UTF-8.</summary>
    public byte[] Key { get; }

    /// <summary>Whether everything that was committed so far survives the end of the process.</summary>
    public bool IsWritten
    {
        get
        {
            lock (_changes)
            {
                return _writtenCount == _changeCount || _removed;
            }
        }
    }

    /// <summary>Whether any offset was committed.</summary>
    public bool IsEmpty => !Volatile.Read(ref _committed).AsSpan().ContainsAnyExcept(None);

    /// <summary>The offset that was committed, or <see cref="None"/>.</summary>
    public long Committed(int queueId) => At(ref _committed, queueId);

    /// <summary>Where the next pull is expected, or <see cref="None"/>.</summary>
    public long Pulled(int queueId) => At(ref _pulled, queueId);

    /// <summary>The offset that the queue was reset to and that no pull has taken yet, or <see cref="None"/>.</summary>
    public long PendingReset(int queueId) => At(ref _resets, queueId);

    /// <summary>A copy of what was committed, by queue id.</summary>
    public Dictionary<int, long> ToDictionary()
    {
        long[] committed = Volatile.Read(ref _committed);
        var offsets = new Dictionary<int, long>();
        for (int queueId = 0; queueId < committed.Length; queueId++)
        {
            long offset = Volatile.Read(ref committed[queueId]);
            if (offset != None)
            {
                offsets[queueId] = offset;
            }
        }

        return offsets;
    }

    /// <summary>Commits; false when the object was removed from its table meanwhile.</summary>
    /// <param name="expected">What has to be committed until now; null for whatever it is.</param>
    /// <param name="enlist">Whether the caller must see to it that the change is written.</param>
    /// <param name="before">The offset until now.</param>
    /// <param name="upwardsOnly">A lower offset than before is ignored.</param>
    public bool TryCommit(
        int queueId,
        long? expected,
        long offset,
        out CommitOutcome outcome,
        out bool enlist,
        out long before,
        bool upwardsOnly = false)
    {
        lock (_changes)
        {
            enlist = false;
            before = Committed(queueId);
            outcome = PendingReset(queueId) != None ? CommitOutcome.ResetPending
                : expected is { } value && value != before && offset != before ? CommitOutcome.Overtaken
                : upwardsOnly && offset < before ? CommitOutcome.Ignored
                : CommitOutcome.Committed;
            if (_removed)
            {
                return false;
            }

            if (outcome == CommitOutcome.Committed && before != offset)
            {
                Set(ref _committed, queueId, offset);
                enlist = Change();
            }

            return true;
        }
    }

    /// <summary>Lets the next pull of each queue begin at its offset, and takes that as committed.</summary>
    /// <param name="added">Queues of which a reset is pending that had none before.</param>
    public bool TryReset(IReadOnlyDictionary<int, long> offsets, bool keepForPull, out bool enlist, out int added)
    {
        lock (_changes)
        {
            enlist = false;
            added = 0;
            if (_removed)
            {
                return false;
            }

            foreach ((int queueId, long offset) in offsets)
            {
                Set(ref _committed, queueId, offset);
                if (keepForPull)
                {
                    added += PendingReset(queueId) == None ? 1 : 0;
                    Set(ref _resets, queueId, offset);
                }
            }

            enlist = Change();
            return true;
        }
    }

    /// <summary>Takes over exactly these offsets.</summary>
    public bool TryReplace(IReadOnlyDictionary<int, long> offsets, out bool enlist)
    {
        lock (_changes)
        {
            enlist = false;
            if (_removed)
            {
                return false;
            }

            long[] replacement = [];
            foreach ((int queueId, long offset) in offsets)
            {
                Set(ref replacement, queueId, offset);
            }

            Volatile.Write(ref _committed, replacement);

            enlist = Change();
            return true;
        }
    }

    /// <summary>Remembers where the next pull is expected; that is not written.</summary>
    public void RecordPull(int queueId, long nextOffset)
    {
        if (Pulled(queueId) == nextOffset)
        {
            return;
        }

        lock (_changes)
        {
            Set(ref _pulled, queueId, nextOffset);
        }
    }

    /// <summary>The pending reset of the queue, which is pending no longer; <see cref="None"/> when there is none.</summary>
    public long TakeReset(int queueId)
    {
        if (PendingReset(queueId) == None)
        {
            return None;
        }

        lock (_changes)
        {
            long reset = PendingReset(queueId);
            if (reset != None)
            {
                Set(ref _resets, queueId, None);
            }

            return reset;
        }
    }

    /// <summary>From now on nothing can be committed here, and nothing is written.</summary>
    /// <returns>Queues whose reset was pending.</returns>
    public int Remove()
    {
        lock (_changes)
        {
            _removed = true;
            int pending = _resets.Count(offset => offset != None);
            Volatile.Write(ref _resets, []);
            return pending;
        }
    }

    /// <summary>
    /// Appends the offsets as they are on disk: per queue 4 bytes queue id, 8 bytes offset, big endian.
    /// </summary>
    /// <param name="changeCount">To be handed to <see cref="Written"/> when they are there.</param>
    /// <returns>False when the object was removed.</returns>
    public bool TryEncode(ref byte[] buffer, out int length, out long changeCount)
    {
        lock (_changes)
        {
            _enlisted = false;
            length = 0;
            changeCount = _changeCount;
            if (_removed)
            {
                return false;
            }

            if (buffer.Length < _committed.Length * EntryBytes)
            {
                buffer = new byte[_committed.Length * EntryBytes];
            }

            for (int queueId = 0; queueId < _committed.Length; queueId++)
            {
                if (_committed[queueId] != None)
                {
                    BinaryPrimitives.WriteInt32BigEndian(buffer.AsSpan(length), queueId);
                    BinaryPrimitives.WriteInt64BigEndian(buffer.AsSpan(length + sizeof(int)), _committed[queueId]);
                    length += EntryBytes;
                }
            }

            return true;
        }
    }

    /// <summary>What <see cref="TryEncode"/> gave out is on disk.</summary>
    public void Written(long changeCount)
    {
        lock (_changes)
        {
            _writtenCount = Math.Max(_writtenCount, changeCount);
        }
    }

    /// <summary>What <see cref="TryEncode"/> gave out is not on disk; true when the caller must see to it again.</summary>
    public bool NotWritten()
    {
        lock (_changes)
        {
            bool enlist = !_enlisted && !_removed;
            _enlisted |= enlist;
            return enlist;
        }
    }

    /// <summary>Reads what <see cref="TryEncode"/> wrote.</summary>
    /// <returns>What is wrong with it; null when nothing is.</returns>
    public string? Decode(ReadOnlySpan<byte> value)
    {
        if (value.Length % EntryBytes != 0)
        {
            return $"{value.Length} bytes are no multiple of {EntryBytes}";
        }

        for (int at = 0; at < value.Length; at += EntryBytes)
        {
            int queueId = BinaryPrimitives.ReadInt32BigEndian(value[at..]);
            long offset = BinaryPrimitives.ReadInt64BigEndian(value[(at + sizeof(int))..]);
            if (queueId is < 0 or >= OffsetOptions.MaxQueues || offset < 0)
            {
                return $"queue {queueId} cannot be at offset {offset}";
            }

            Set(ref _committed, queueId, offset);
        }

        return null;
    }

    private static long At(ref long[] offsets, int queueId)
    {
        long[] all = Volatile.Read(ref offsets);
        return (uint)queueId < (uint)all.Length ? Volatile.Read(ref all[queueId]) : None;
    }

    private static void Set(ref long[] offsets, int queueId, long offset)
    {
        long[] all = offsets;
        if (queueId >= all.Length)
        {
            var longer = new long[Math.Max(queueId + 1, Math.Max(InitialQueues, Math.Min(all.Length * 2, OffsetOptions.MaxQueues)))];
            all.CopyTo(longer, 0);
            longer.AsSpan(all.Length).Fill(None);
            Volatile.Write(ref offsets, longer);
            all = longer;
        }

        Volatile.Write(ref all[queueId], offset);
    }

    private bool Change()
    {
        _changeCount++;
        bool enlist = !_enlisted;
        _enlisted = true;
        return enlist;
    }
}
