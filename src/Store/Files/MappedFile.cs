using System.Runtime.CompilerServices;

namespace GrayMQ.Store.Files;

/// <summary>
/// A mapping that is shared by counting: its owner holds one lease, every reader takes another, and the memory goes away
/// with the last. Retention can so remove a file at any time, and never unmaps what is just being sent.
/// </summary>
internal sealed unsafe class MappedFile
{
    private readonly IMappedRegion _region;
    private readonly byte* _address;
    private int _leases = 1;

    public MappedFile(IMappedRegion region)
    {
        _region = region;
        _address = (byte*)region.Address;
        Length = checked((int)region.Length);
    }

    public int Length { get; }

    /// <summary>True once nobody holds a lease: the memory is gone.</summary>
    public bool IsUnmapped => Volatile.Read(ref _leases) == 0;

    /// <summary>Takes a lease; false if the last one was given back already.</summary>
    public bool TryLease()
    {
        int leases = Volatile.Read(ref _leases);
        while (leases > 0)
        {
            int seen = Interlocked.CompareExchange(ref _leases, leases + 1, leases);
            if (seen == leases)
            {
                return true;
            }

            leases = seen;
        }

        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _leases) == 0)
        {
            _region.Dispose();
        }
    }

    /// <summary>The memory from a position; the caller holds a lease for as long as it uses the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Span(int position, int length)
    {
        if ((uint)position > (uint)Length || (uint)length > (uint)(Length - position))
        {
            throw new ArgumentOutOfRangeException(nameof(position));
        }

        return new Span<byte>(_address + position, length);
    }

    /// <summary>The address of a position; the caller holds a lease for as long as it uses it.</summary>
    public byte* Address(int position) => _address + position;

    public void Flush(int position, int length) => _region.Flush(position, length);

    /// <summary>Flushes what was written here, and not by a call.</summary>
    public void FlushWritten(int position, int length)
    {
        _region.LetGo(position, length);
        _region.Flush(position, length);
    }
}
