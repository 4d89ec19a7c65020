using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.Files;
using GrayMQ.Store.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Store.Tests;

/// <summary>Places that are given at the end of the log, and when all of them are filled.</summary>
public sealed class TailBufferTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);
    private readonly CommitLogFiles _files;
    private readonly CommitLogFile _file;
    private readonly TailBuffer _buffer = new();

    public TailBufferTests()
    {
        StoreOptions options = TestStore.Options(_folder.Path);
        Directory.CreateDirectory(options.CommitLogPath);
        _files = new CommitLogFiles(options, LinuxFileSystem.Instance, NullLogger.Instance);
        _file = _files.AddNext(0);
    }

    public void Dispose()
    {
        _files.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public Task WaitUntilFilled_OnePlaceIsMissing_WaitsForThatOne(int last) => AssertWaitsForAsync(last);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task WaitUntilFilled_UsedAgain_WaitsForThePlacesThatWereGivenSince(int last)
    {
        foreach (int place in new[] { Reserve(), Reserve(), Reserve() })
        {
            _buffer.Filled(place);
        }

        _buffer.WaitUntilFilled();
        _buffer.Clear();
        await AssertWaitsForAsync(last);
    }

    [Fact]
    public async Task TryReserve_TooLargeForWhatThereIs_WaitsForThoseWhoFill()
    {
        const int Large = 400 * 1024;
        int small = Reserve();
        var reserving = Task.Run(
            () =>
            {
                Assert.True(_buffer.TryReserve(_file, 1, Large, _buffer.EndOffset + Large, out Span<byte> room, out int large));
                Assert.Equal(Large, room.Length);
                return large;
            },
            TestContext.Current.CancellationToken);
        await YieldAsync();
        Assert.False(reserving.IsCompleted);
        _buffer.Filled(small);
        _buffer.Filled(await reserving);
        _buffer.WaitUntilFilled();
        Assert.Equal(100 + Large, _buffer.Bytes);
    }

    [Fact]
    public void TryReserve_MoreThanCanBeSaidToBeFilled_IsRefused()
    {
        int given = 0;
        while (_buffer.TryReserve(_file, 1, 1, given + 1, out _, out int place))
        {
            Assert.Equal(given++, place);
            _buffer.Filled(place);
        }

        Assert.InRange(given, 1_000, 10_000);
        _buffer.WaitUntilFilled();
        Assert.Equal(given, _buffer.Messages);
    }

    // Of three places all are filled but one.
    private async Task AssertWaitsForAsync(int last)
    {
        int[] places = [Reserve(), Reserve(), Reserve()];
        foreach (int place in places.Where(place => place != places[last]))
        {
            _buffer.Filled(place);
        }

        Task waiting = await StartWaitingAsync();
        Assert.False(waiting.IsCompleted);
        _buffer.Filled(places[last]);
        await waiting;
    }

    // A buffer that waited for nothing would be through by now, or, where its thread was stopped just here, in a moment.
    private async Task<Task> StartWaitingAsync()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = Task.Run(
            () =>
            {
                started.SetResult();
                _buffer.WaitUntilFilled();
            },
            TestContext.Current.CancellationToken);
        await started.Task;
        await YieldAsync();
        return waiting;
    }

    private static async Task YieldAsync()
    {
        for (int i = 0; i < 100; i++)
        {
            await Task.Yield();
        }
    }

    private int Reserve()
    {
        Assert.True(_buffer.TryReserve(_file, 1, 100, _buffer.EndOffset + 100, out Span<byte> room, out int place));
        Assert.Equal(100, room.Length);
        return place;
    }
}
