using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.Reading;

/// <summary>
/// The messages that a read found: views of mapped commit-log files, with leases that keep the files mapped. Made once
/// and used for many reads; <see cref="Clear"/> (or the next read) gives the leases back, and <see cref="Dispose"/> at the
/// latest. Not for several threads at once.
/// </summary>
public sealed unsafe class MessageSlices : IDisposable
{
    private const int InitialCapacity = 32;

    private Slice[] _slices = new Slice[InitialCapacity];
    private MappedFile?[] _leases = new MappedFile?[2];
    private int _leaseCount;

    /// <summary>Messages.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all messages together.</summary>
    public int TotalBytes { get; private set; }

    /// <summary>The queue offset to read from next; see <see cref="ReadStatus"/>.</summary>
    public long NextOffset { get; internal set; }

    /// <summary>The queue's min offset at the time of the read.</summary>
    public long MinOffset { get; internal set; }

    /// <summary>The queue's end at the time of the read.</summary>
    public long MaxOffset { get; internal set; }

    /// <summary>Messages that the filter refused after looking at them.</summary>
    public int FilteredCount { get; internal set; }

    /// <summary>One whole record; good until the slices are cleared.</summary>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            Slice slice = _slices[index];
            return new ReadOnlySpan<byte>(slice.Address, slice.Length);
        }
    }

    /// <summary>The queue offset of a message; -1 if it was read by physical offset.</summary>
    public long QueueOffsetOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return _slices[index].QueueOffset;
    }

    /// <summary>Writes all messages, one behind the other: the body of a pull reply.</summary>
    public void CopyTo(IBufferWriter<byte> destination)
    {
        for (int i = 0; i < Count;)
        {
            // Neighbours in the log are copied together.
            byte* start = _slices[i].Address;
            int length = _slices[i].Length;
            for (i++; i < Count && _slices[i].Address == start + length; i++)
            {
                length += _slices[i].Length;
            }

            destination.Write(new ReadOnlySpan<byte>(start, length));
        }
    }

    /// <summary>Forgets the messages and gives the leases back.</summary>
    public void Clear()
    {
        for (int i = 0; i < _leaseCount; i++)
        {
            _leases[i]!.Release();
            _leases[i] = null;
        }

        _leaseCount = 0;
        Count = 0;
        TotalBytes = 0;
        FilteredCount = 0;
    }

    public void Dispose() => Clear();

    /// <summary>Makes sure that a lease on the file is held; false if the file is gone.</summary>
    internal bool TryHold(MappedFile file)
    {
        for (int i = _leaseCount - 1; i >= 0; i--)
        {
            if (ReferenceEquals(_leases[i], file))
            {
                return true;
            }
        }

        if (!file.TryLease())
        {
            return false;
        }

        if (_leaseCount == _leases.Length)
        {
            Array.Resize(ref _leases, _leases.Length * 2);
        }

        _leases[_leaseCount++] = file;
        return true;
    }

    /// <summary>Takes the last message out again; its lease stays until <see cref="Clear"/>.</summary>
    internal void RemoveLast() => TotalBytes -= _slices[--Count].Length;

    internal void Add(byte* address, int length, long queueOffset)
    {
        Debug.Assert(_leaseCount > 0, "a slice needs a lease");
        if (Count == _slices.Length)
        {
            Array.Resize(ref _slices, _slices.Length * 2);
        }

        _slices[Count++] = new Slice { Address = address, Length = length, QueueOffset = queueOffset };
        TotalBytes += length;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Slice
    {
        public byte* Address;
        public int Length;
        public long QueueOffset;
    }
}
