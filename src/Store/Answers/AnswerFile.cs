using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.Answers;

/// <summary>
/// What is kept beside the entries of one consume-queue file, under the same name. Sparse: blocks are reserved a piece at a time before
/// they are written to. It is made longer when it is full; what it has no room for is not kept, and readers look at those messages.
/// <code>
/// 0               entries × 8   4 position in this file | 4 length of the record there; zeros where nothing is kept (big-endian)
/// entries × 8     records, one behind the other (see AnswerRecord)
/// </code>
/// </summary>
internal sealed class AnswerFile
{
    public const int EntryBytes = 8;

    // Bytes of records for each entry, on average, that a new file has room for.
    private const int FirstRoomPerEntry = 32;

    private const int ReservePageBytes = 4 * 1024;
    private const int ReserveBytes = 64 * 1024;

    private readonly ConsumeQueueStorage _storage;
    private readonly int _tableBytes;
    private volatile OnDemandMapping _mapping;
    private int _length;

    // Dispatcher only. Where the next record goes; -1 until the table has told.
    private int _end = -1;
    private int _reservedTableTo;
    private int _reservedTo;

    /// <param name="length">Of the file as it is, or is to be made.</param>
    public AnswerFile(ConsumeQueueStorage storage, string path, long firstEntry, int length)
    {
        _storage = storage;
        FirstEntry = firstEntry;
        _tableBytes = storage.FileEntries * EntryBytes;
        _length = length;
        _mapping = Map(path);
    }

    public long FirstEntry { get; }

    public string Path => _mapping.Path;

    /// <summary>Bytes of a new file with so many entries: the fewest that a file has.</summary>
    public static int FirstLength(int entries) => (int)Math.Min((long)entries * (EntryBytes + FirstRoomPerEntry), Array.MaxLength);

    public void Create()
    {
        using IStoreFile file = _storage.FileSystem.Open(Path, create: true);
        file.SetLength(0);
        file.SetLength(_length);
        _end = _tableBytes;
        _mapping.Touch(_storage.NowMs);
    }

    /// <summary>Keeps an answer; false when there is no room for it. Throws IOException. Dispatcher only.</summary>
    public bool TryPut(int number, in ConsumeQueueEntry entry, ReadOnlySpan<byte> answer)
    {
        if (_end < 0)
        {
            _end = FindEnd();
        }

        int position = _end;
        int length = AnswerRecord.CheckBytes + answer.Length;
        if (_length - position < length && !TryGrow(length))
        {
            return false;
        }

        MappedFile memory = _mapping.Lease();
        try
        {
            Reserve(number * EntryBytes, EntryBytes, ref _reservedTableTo, _tableBytes);
            Reserve(position, length, ref _reservedTo, _length);
            AnswerRecord.Write(memory.Span(position, length), entry, answer);
            _end = position + length;

            // The record before what points to it: readers come at any time.
            Volatile.Write(ref Slot(memory, number), ToDisk(((ulong)(uint)position << 32) | (uint)length));
            return true;
        }
        finally
        {
            memory.Release();
        }
    }

    /// <summary>A lease on the file, to read it by; false if it is gone. Throws IOException.</summary>
    public bool TryLease(out MappedFile? memory)
    {
        OnDemandMapping mapping = _mapping;
        bool leased = mapping.TryLease(out memory);
        mapping.Touch(_storage.NowMs);
        return leased;
    }

    /// <summary>The answer that is kept beside an entry; empty for none.</summary>
    public ReadOnlySpan<byte> Read(MappedFile memory, int number, in ConsumeQueueEntry entry)
    {
        (uint position, uint length) = Parts(ToDisk(Volatile.Read(ref Slot(memory, number))));
        return IsPlausible(position, length, memory)
            ? AnswerRecord.Read(memory.Span((int)position, (int)length), entry)
            : default;
    }

    /// <summary>Forgets the answers from an entry on, durably: the log is to have other messages there.</summary>
    public void CutTo(int number)
    {
        using IStoreFile file = _storage.FileSystem.Open(Path, create: false);
        byte[] table = new byte[_tableBytes - (number * EntryBytes)];
        int read = file.Read(number * EntryBytes, table);
        int last = table.AsSpan(0, read).LastIndexOfAnyExcept((byte)0);
        if (last >= 0)
        {
            table.AsSpan(0, last + 1).Clear();
            file.Write(number * EntryBytes, table.AsSpan(0, last + 1));
            file.Flush();
        }
    }

    public void UnmapIfIdle(long usedBeforeMs) => _mapping.UnmapIfIdle(usedBeforeMs);

    public void Unmap() => _mapping.Unmap();

    public void Retire() => _mapping.Retire();

    private static ref ulong Slot(MappedFile memory, int number) =>
        ref Unsafe.As<byte, ulong>(ref MemoryMarshal.GetReference(memory.Span(number * EntryBytes, EntryBytes)));

    private static ulong ToDisk(ulong value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    private static (uint Position, uint Length) Parts(ulong slot) => ((uint)(slot >> 32), (uint)slot);

    private OnDemandMapping Map(string path) => new(_storage.FileSystem, path, _length, _storage.MapLock);

    // No CRC covers the table: what it says is checked like anything from outside. And the file may have grown since it was mapped.
    private bool IsPlausible(uint position, uint length, MappedFile memory) =>
        position >= (uint)_tableBytes && length >= AnswerRecord.CheckBytes && (ulong)position + length <= (ulong)memory.Length;

    private int FindEnd()
    {
        MappedFile memory = _mapping.Lease();
        try
        {
            uint end = (uint)_tableBytes;
            for (int number = 0; number < _storage.FileEntries; number++)
            {
                (uint position, uint length) = Parts(ToDisk(Slot(memory, number)));
                if (IsPlausible(position, length, memory))
                {
                    end = Math.Max(end, position + length);
                }
            }

            return (int)end;
        }
        finally
        {
            memory.Release();
        }
    }

    // Doubles the room. Who reads just now goes on with the memory that he has.
    private bool TryGrow(int neededBytes)
    {
        int length = (int)Math.Min(_tableBytes + (2L * (_length - _tableBytes)), Array.MaxLength);
        if (length - _end < neededBytes)
        {
            return false;
        }

        using (IStoreFile file = _storage.FileSystem.Open(Path, create: false))
        {
            file.SetLength(length);
        }

        OnDemandMapping before = _mapping;
        _length = length;
        _mapping = Map(Path);
        _mapping.Touch(_storage.NowMs);
        before.Retire();
        return true;
    }

    // Without blocks of its own, a full disk would be a signal at the write and not an exception here.
    private void Reserve(int position, int length, ref int reservedTo, int limit)
    {
        if (position + length <= reservedTo)
        {
            return;
        }

        int from = Math.Max(reservedTo, position & ~(ReservePageBytes - 1));
        int to = (int)Math.Min(Math.Max((long)position + length, (long)from + ReserveBytes), limit);
        using IStoreFile file = _storage.FileSystem.Open(Path, create: false);
        file.Allocate(from, to - from);
        reservedTo = to;
    }
}
