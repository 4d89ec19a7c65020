using System.Buffers.Binary;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.Indexes;

/// <summary>
/// A hash index from keys to physical offsets, named by the time it was made (yyyyMMddHHmmssSSS). Big-endian.
/// <code>
///  0 beginTimestamp 8   of the first entry, ms          16 beginOffset 8
///  8 endTimestamp   8   of the last entry, ms           24 endOffset   8   physical offset of the last entry's message
/// 32 usedSlots      4                                   36 count       4   entries + 1: entry 0 is never used
/// 40 slots: maxHashSlotNum x 4, each the number of its newest entry, 0 for none
///    entries: maxIndexNum x 20
///       0 keyHash 4 | 4 physicalOffset 8 | 12 seconds since beginTimestamp 4 | 16 next older entry of the slot 4
/// </code>
/// Source: RocketMQ 5.3.3, IndexFile and IndexHeader. One writer (the dispatcher); readers need no lock, because an entry is
/// whole before its slot names it.
/// </summary>
internal sealed class IndexFile(StoreOptions options, string path, MappedFile memory)
{
    public const int HeaderBytes = 40;
    public const int SlotBytes = 4;
    public const int EntryBytes = 20;

    private const int EndTimestampPosition = 8;
    private const int BeginOffsetPosition = 16;
    private const int EndOffsetPosition = 24;
    private const int UsedSlotsPosition = 32;
    private const int CountPosition = 36;

    private readonly int _slots = options.MaxHashSlots;
    private readonly int _maxCount = options.MaxIndexEntries;

    public string Path { get; } = path;

    public string Name { get; } = System.IO.Path.GetFileName(path);

    public MappedFile Memory { get; } = memory;

    public long BeginTimestampMs => ReadInt64(0);

    public long EndTimestampMs => ReadInt64(EndTimestampPosition);

    public long EndOffset => ReadInt64(EndOffsetPosition);

    /// <summary>The number of the next entry; what a file says of itself is held within what it can have.</summary>
    public int Count => Math.Clamp(ReadInt32(CountPosition), 1, _maxCount);

    public bool IsFull => Count >= _maxCount;

    /// <summary>Bytes up to the end of the slots, which are written in any order.</summary>
    public int HeadBytes => HeaderBytes + (_slots * SlotBytes);

    /// <summary>The non-negative hash of an index key (RocketMQ: IndexFile.indexKeyHashMethod).</summary>
    public static int KeyHash(int javaHash) => javaHash == int.MinValue ? 0 : Math.Abs(javaHash);

    public int EntryPosition(int number) => HeadBytes + (number * EntryBytes);

    /// <summary>Puts the first values into an empty file's header; a new file continues from the one before it.</summary>
    public void Begin(long previousEndOffset, long previousEndTimestampMs)
    {
        WriteInt64(BeginOffsetPosition, previousEndOffset);
        WriteInt64(EndOffsetPosition, previousEndOffset);
        WriteInt64(0, previousEndTimestampMs);
        WriteInt64(EndTimestampPosition, previousEndTimestampMs);
        WriteInt32(CountPosition, 1);
    }

    /// <summary>Adds an entry; the file may not be full, and its place has to be reserved.</summary>
    public void Put(int keyHash, long physicalOffset, long storeTimestampMs)
    {
        int count = Count;
        int slotPosition = SlotPosition(keyHash);
        int previous = ReadInt32(slotPosition);
        if (previous < 0 || previous >= count)
        {
            previous = 0;
        }

        if (count <= 1)
        {
            WriteInt64(BeginOffsetPosition, physicalOffset);
        }

        // RocketMQ takes the difference to what the header says before the first entry sets it.
        long begin = BeginTimestampMs;
        long seconds = begin <= 0 ? 0 : Math.Clamp((storeTimestampMs - begin) / 1000, 0, int.MaxValue);
        if (count <= 1)
        {
            WriteInt64(0, storeTimestampMs);
        }

        Span<byte> entry = Memory.Span(EntryPosition(count), EntryBytes);
        BinaryPrimitives.WriteInt32BigEndian(entry, keyHash);
        BinaryPrimitives.WriteInt64BigEndian(entry[4..], physicalOffset);
        BinaryPrimitives.WriteInt32BigEndian(entry[12..], (int)seconds);
        BinaryPrimitives.WriteInt32BigEndian(entry[16..], previous);
        Volatile.WriteBarrier();
        WriteInt32(slotPosition, count);
        if (previous == 0)
        {
            WriteInt32(UsedSlotsPosition, ReadInt32(UsedSlotsPosition) + 1);
        }

        WriteInt32(CountPosition, count + 1);
        WriteInt64(EndOffsetPosition, physicalOffset);
        WriteInt64(EndTimestampPosition, storeTimestampMs);
    }

    /// <summary>
    /// Takes back the newest entries, down to <paramref name="count"/>, which were put since the header said
    /// <paramref name="endOffset"/> and <paramref name="endTimestampMs"/>.
    /// </summary>
    public void TakeBack(int count, long endOffset, long endTimestampMs)
    {
        for (int number = Count - 1; number >= count; number--)
        {
            IndexEntry entry = EntryAt(number);
            WriteInt32(SlotPosition(entry.KeyHash), entry.Previous);
            if (entry.Previous == 0)
            {
                WriteInt32(UsedSlotsPosition, ReadInt32(UsedSlotsPosition) - 1);
            }

            WriteInt32(CountPosition, number);
        }

        WriteInt64(EndOffsetPosition, endOffset);
        WriteInt64(EndTimestampPosition, endTimestampMs);
    }

    /// <summary>Could messages of this time be in here? (RocketMQ: IndexFile.isTimeMatched.)</summary>
    public bool Overlaps(long beginMs, long endMs) => beginMs <= EndTimestampMs && endMs >= BeginTimestampMs;

    /// <summary>Adds the physical offsets of a key's entries, newest first, until there are <paramref name="maxCount"/>.</summary>
    public void Select(int keyHash, int maxCount, long beginMs, long endMs, List<long> offsets)
    {
        int count = Count;
        long begin = BeginTimestampMs;
        int number = ReadInt32(SlotPosition(keyHash));
        while (number > 0 && number < count && offsets.Count < maxCount)
        {
            IndexEntry entry = EntryAt(number);
            if (entry.Seconds < 0)
            {
                break;
            }

            long time = begin + (entry.Seconds * 1000L);
            if (entry.KeyHash == keyHash && time >= beginMs && time <= endMs)
            {
                offsets.Add(entry.PhysicalOffset);
            }

            // Older entries have smaller numbers: anything else is damage, and would be a circle.
            if (entry.Previous >= number || time < beginMs)
            {
                break;
            }

            number = entry.Previous;
        }
    }

    public IndexEntry EntryAt(int number)
    {
        ReadOnlySpan<byte> entry = Memory.Span(EntryPosition(number), EntryBytes);
        return new IndexEntry(
            BinaryPrimitives.ReadInt32BigEndian(entry),
            BinaryPrimitives.ReadInt64BigEndian(entry[4..]),
            BinaryPrimitives.ReadInt32BigEndian(entry[12..]),
            BinaryPrimitives.ReadInt32BigEndian(entry[16..]));
    }

    /// <summary>
    /// Forgets the entries from <paramref name="count"/> on, which have to be whole before it: every slot is led back to its
    /// newest entry that stays. Where later entries are not whole either (the power failed), all slots are made anew from the
    /// entries. False if the entries before <paramref name="count"/> do not hang together.
    /// </summary>
    public bool TryCut(int count)
    {
        int used = LeadSlotsBack(count);
        if (used < 0 && (used = RebuildSlots(count)) < 0)
        {
            return false;
        }

        WriteInt32(UsedSlotsPosition, used);
        WriteInt32(CountPosition, count);
        if (count > 1)
        {
            IndexEntry last = EntryAt(count - 1);
            WriteInt64(EndOffsetPosition, last.PhysicalOffset);
            WriteInt64(EndTimestampPosition, BeginTimestampMs + (last.Seconds * 1000L));
        }

        return true;
    }

    // The number of used slots; -1 if the chain of some slot is broken.
    private int LeadSlotsBack(int count)
    {
        int used = 0;
        for (int slot = 0; slot < _slots; slot++)
        {
            int position = HeaderBytes + (slot * SlotBytes);
            int number = ReadInt32(position);
            int kept = number;
            while (kept >= count)
            {
                if (kept >= _maxCount)
                {
                    return -1;
                }

                IndexEntry entry = EntryAt(kept);
                if (entry.KeyHash < 0 || entry.KeyHash % _slots != slot
                    || entry.Previous >= kept || entry.Previous < 0 || entry == default)
                {
                    return -1;
                }

                kept = entry.Previous;
            }

            if (kept < 0 || (kept > 0 && EntryAt(kept).KeyHash % _slots != slot))
            {
                return -1;
            }

            if (kept != number)
            {
                WriteInt32(position, kept);
            }

            used += kept > 0 ? 1 : 0;
        }

        return used;
    }

    // The number of used slots; -1 if an entry does not name the one before it of its slot.
    private int RebuildSlots(int count)
    {
        int used = 0;
        Memory.Span(HeaderBytes, _slots * SlotBytes).Clear();
        for (int number = 1; number < count; number++)
        {
            IndexEntry entry = EntryAt(number);
            if (entry.KeyHash < 0 || ReadInt32(SlotPosition(entry.KeyHash)) != entry.Previous)
            {
                return -1;
            }

            used += entry.Previous == 0 ? 1 : 0;
            WriteInt32(SlotPosition(entry.KeyHash), number);
        }

        return used;
    }

    private int SlotPosition(int keyHash) => HeaderBytes + (keyHash % _slots * SlotBytes);

    private int ReadInt32(int position) => BinaryPrimitives.ReadInt32BigEndian(Memory.Span(position, 4));

    private long ReadInt64(int position) => BinaryPrimitives.ReadInt64BigEndian(Memory.Span(position, 8));

    private void WriteInt32(int position, int value) =>
        BinaryPrimitives.WriteInt32BigEndian(Memory.Span(position, 4), value);

    private void WriteInt64(int position, long value) =>
        BinaryPrimitives.WriteInt64BigEndian(Memory.Span(position, 8), value);
}

/// <param name="Seconds">Since the file's begin timestamp.</param>
/// <param name="Previous">The next older entry of the same slot; 0 for none.</param>
internal readonly record struct IndexEntry(int KeyHash, long PhysicalOffset, int Seconds, int Previous);
