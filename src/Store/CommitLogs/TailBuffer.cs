using System.Buffers;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// Records that stand one behind the other at the end of the log and are not in its file yet. Each gets its place under the append lock and is
/// filled without it, so that nobody waits for another's copying; written by who has taken the buffer from there, once all are filled.
/// </summary>
internal sealed class TailBuffer
{
    // What comes while one flush is under way, with hundreds of senders.
    private const int UsualBytes = 256 * 1024;

    // A record from here on gets a larger buffer, for as long as it needs it: among many that send small ones it would seldom find one with
    // so much room.
    private const int LargeBytes = UsualBytes / 4;

    // More than there is room for among usual ones.
    private const int MostPlaces = UsualBytes / StoredMessageLayout.MinRecordBytes;

    // By far more than copying takes.
    private const int SpinsBeforeSleep = 1_000;

    private const byte IsFilled = 1;

    private readonly byte[] _usual = new byte[UsualBytes];
    private byte[] _records;
    private int _length;

    // One for each place that was given. A counter would have to be counted by an interlocked call, which waits for what was just copied to leave
    // the processor's store buffer, and for the counter's cache line: that took longer than the copying.
    private readonly byte[] _filled = new byte[MostPlaces];
    private int _given;

    public TailBuffer() => _records = _usual;

    /// <summary>The file that the records belong to; null while there are none.</summary>
    public CommitLogFile? File { get; private set; }

    public int Messages { get; private set; }

    /// <summary>The offset behind the last record.</summary>
    public long EndOffset { get; private set; }

    public int Bytes => _length;

    public bool IsEmpty => Volatile.Read(ref _length) == 0;

    /// <summary>Of the first record in its file.</summary>
    public int Position => (int)(EndOffset - _length - File!.BaseOffset);

    private ReadOnlySpan<byte> Records => _records.AsSpan(0, _length);

    /// <summary>
    /// Gives a place to records, behind those that are here; false if these have to be written first. <see cref="Filled"/> is to follow.
    /// Under the append lock.
    /// </summary>
    /// <param name="number">Of the place: what to call <see cref="Filled"/> with.</param>
    public bool TryReserve(CommitLogFile file, int messages, int bytes, long endOffset, out Span<byte> place, out int number)
    {
        place = default;
        number = _given;
        if (!IsEmpty && (_given == MostPlaces || !ReferenceEquals(File, file)))
        {
            return false;
        }

        if (bytes > _records.Length - _length)
        {
            if (bytes < LargeBytes || _length > UsualBytes)
            {
                return false;
            }

            Grow(_length + bytes);
        }

        place = _records.AsSpan(_length, bytes);
        File = file;
        _length += bytes;
        _given++;
        Messages += messages;
        EndOffset = endOffset;
        return true;
    }

    /// <summary>What was given this place is there, whole.</summary>
    public void Filled(int number) => Volatile.Write(ref _filled[number], IsFilled);

    /// <summary>
    /// Waits until all that was given a place is there: for as long as copying takes, and where a body comes from a file, reading it. No more
    /// places may be given meanwhile.
    /// </summary>
    public void WaitUntilFilled()
    {
        var spinning = default(SpinWait);
        for (int filled = 0; filled < _given; filled++)
        {
            while (Volatile.Read(ref _filled[filled]) != IsFilled)
            {
                spinning.SpinOnce(SpinsBeforeSleep);
            }
        }
    }

    /// <summary>Writes the records to where they stand. Throws IOException.</summary>
    public void WriteTo(IStoreFile file) => file.Write(Position, Records);

    /// <summary>Copies the records to where they stand; the caller holds a lease.</summary>
    public void CopyTo(MappedFile memory) => Records.CopyTo(memory.Span(Position, _length));

    public void Clear()
    {
        _filled.AsSpan(0, _given).Clear();
        _given = 0;
        Messages = 0;
        File = null;
        Use(_usual);

        // Last: who sees it under another lock sees what was written before.
        Volatile.Write(ref _length, 0);
    }

    private void Grow(int bytes)
    {
        // They are filled where they are.
        WaitUntilFilled();
        byte[] larger = ArrayPool<byte>.Shared.Rent(bytes);
        Records.CopyTo(larger);
        Use(larger);
    }

    private void Use(byte[] records)
    {
        if (!ReferenceEquals(_records, _usual))
        {
            ArrayPool<byte>.Shared.Return(_records);
        }

        _records = records;
    }
}
