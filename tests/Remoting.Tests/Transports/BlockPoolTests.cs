using System.Buffers;
using GrayMQ.Remoting.Transports;

namespace GrayMQ.Remoting.Tests.Transports;

public sealed class BlockPoolTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Rent_AfterReturn_IsTheSameBlock()
    {
        using var pool = new BlockPool(_time);
        IMemoryOwner<byte> first = pool.Rent();
        Memory<byte> memory = first.Memory;
        first.Dispose();

        using IMemoryOwner<byte> second = pool.Rent(BlockPool.BlockBytes);

        Assert.Same(first, second);
        Assert.Equal(memory, second.Memory);
        Assert.Equal(BlockPool.BlockBytes, second.Memory.Length);
    }

    [Fact]
    public void Rent_BlocksInUse_AreDistinct()
    {
        using var pool = new BlockPool(_time);
        using IMemoryOwner<byte> first = pool.Rent();
        using IMemoryOwner<byte> second = pool.Rent();

        first.Memory.Span.Fill(1);
        second.Memory.Span.Fill(2);

        Assert.DoesNotContain((byte)2, first.Memory.ToArray());
    }

    [Fact]
    public void Rent_MoreThanABlock_IsRefused()
    {
        using var pool = new BlockPool(_time);

        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(BlockPool.BlockBytes + 1));
    }

    [Fact]
    public void Blocks_OfABurst_AreLetGoWhenItIsOver()
    {
        using var pool = new BlockPool(_time);
        IMemoryOwner<byte>[] burst = [.. Enumerable.Range(0, 100).Select(_ => pool.Rent())];
        Array.ForEach(burst, block => block.Dispose());
        Assert.Equal(100, pool.FreeCount);

        // They were in use for a part of the first interval.
        _time.Advance(BlockPool.TrimInterval);
        Assert.Equal(100, pool.FreeCount);
        _time.Advance(BlockPool.TrimInterval);
        Assert.Equal(50, pool.FreeCount);
        for (int i = 0; i < 10; i++)
        {
            _time.Advance(BlockPool.TrimInterval);
        }

        Assert.Equal(0, pool.FreeCount);
    }

    [Fact]
    public void Blocks_InSteadyUse_AreKept()
    {
        using var pool = new BlockPool(_time);
        for (int i = 0; i < 10; i++)
        {
            IMemoryOwner<byte>[] work = [.. Enumerable.Range(0, 8).Select(_ => pool.Rent())];
            Array.ForEach(work, block => block.Dispose());
            _time.Advance(BlockPool.TrimInterval);
        }

        Assert.Equal(8, pool.FreeCount);
    }
}
