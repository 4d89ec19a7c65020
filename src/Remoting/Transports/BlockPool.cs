using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace GrayMQ.Remoting.Transports;

/// <summary>
/// Blocks of pinned memory for what connections receive and send. A block is used again and again: reading and writing costs neither an
/// allocation nor a pin. What a burst needed is given back when it is over: of the blocks that lie unused through a whole
/// <see cref="TrimInterval"/>, half are let go at its end.
/// </summary>
internal sealed class BlockPool : MemoryPool<byte>
{
    /// <summary>
    /// Bytes of a block: what a connection that has sent less than a frame holds at least, and one that is idle not at all. With a dozen
    /// messages of 1 KiB to a read, a message costs a third less of the kernel's time than with three.
    /// </summary>
    internal const int BlockBytes = 16 * 1024;

    /// <summary>How long blocks may lie unused.</summary>
    internal static readonly TimeSpan TrimInterval = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<Block> _free = new();
    private readonly ITimer _trimming;
    private int _freeCount;
    private int _leastFree;
    private bool _disposed;

    public BlockPool(TimeProvider time) =>
        _trimming = time.CreateTimer(static pool => ((BlockPool)pool!).Trim(), this, TrimInterval, TrimInterval);

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockBytes;

    /// <summary>Blocks that lie unused.</summary>
    internal int FreeCount => Volatile.Read(ref _freeCount);

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        if (!_free.TryDequeue(out Block? block))
        {
            return new Block(this);
        }

        int left = Interlocked.Decrement(ref _freeCount);

        // Races only make the next trim a little larger or smaller.
        if (left < Volatile.Read(ref _leastFree))
        {
            Volatile.Write(ref _leastFree, left);
        }

        return block;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        Volatile.Write(ref _disposed, true);
        _trimming.Dispose();
        while (_free.TryDequeue(out _))
        {
            // The garbage collector has it.
        }
    }

    private void Return(Block block)
    {
        if (!Volatile.Read(ref _disposed))
        {
            Interlocked.Increment(ref _freeCount);
            _free.Enqueue(block);
        }
    }

    private void Trim()
    {
        int surplus = (Volatile.Read(ref _leastFree) + 1) / 2;
        for (int i = 0; i < surplus && _free.TryDequeue(out _); i++)
        {
            Interlocked.Decrement(ref _freeCount);
        }

        Volatile.Write(ref _leastFree, FreeCount);
    }

    // Its own owner, so that renting it allocates nothing.
    private sealed class Block(BlockPool pool) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(
            GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true), 0, BlockBytes);

        public void Dispose() => pool.Return(this);
    }
}
