using System.Buffers;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// Records that stand one behind the other at the end of the log and are not in its file yet. Filled under the append lock, written by who
/// has taken it from there.
/// </summary>
internal sealed class TailBuffer
{
    // What comes while one flush is under way, with hundreds of senders.
    private const int UsualBytes = 256 * 1024;

    // A record from here on gets a larger buffer, for as long as it needs it: among many that send small ones it would seldom find one with
    // so much room.
    private const int LargeBytes = UsualBytes / 4;

    private readonly byte[] _usual = new byte[UsualBytes];
    private byte[] _records;
    private int _length;

    public TailBuffer() => _records = _usual;

    /// <summary>The file that the records belong to; null while there are none.</summary>
    public CommitLogFile? File { get; private set; }

    public int Messages { get; private set; }

    /// <summary>The offset behind the last record.</summary>
    public long EndOffset { get; private set; }

    public int Bytes => _length;

    public bool IsEmpty => _length == 0;

    private int Position => (int)(EndOffset - _length - File!.BaseOffset);

    private ReadOnlySpan<byte> Records => _records.AsSpan(0, _length);

    /// <summary>Room for records behind those that are here; false if these have to be written first.</summary>
    public bool TryReserve(CommitLogFile file, int bytes, out Span<byte> room)
    {
        room = default;
        if (!IsEmpty && !ReferenceEquals(File, file))
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

        room = _records.AsSpan(_length, bytes);
        File = file;
        return true;
    }

    /// <summary>What was reserved last is filled.</summary>
    public void Add(int messages, int bytes, long endOffset)
    {
        _length += bytes;
        Messages += messages;
        EndOffset = endOffset;
    }

    /// <summary>Writes the records to where they stand. Throws IOException.</summary>
    public void WriteTo(IStoreFile file) => file.Write(Position, Records);

    /// <summary>Copies the records to where they stand; the caller holds a lease.</summary>
    public void CopyTo(MappedFile memory) => Records.CopyTo(memory.Span(Position, _length));

    public void Clear()
    {
        _length = 0;
        Messages = 0;
        File = null;
        Use(_usual);
    }

    private void Grow(int bytes)
    {
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
