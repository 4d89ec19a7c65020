using System.Buffers.Binary;
using GrayMQ.Store.Files;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

/// <summary>Memory that is a file, of the real file system.</summary>
public sealed class MappedRegionTests : IDisposable
{
    private const int Pages = 64;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LetGo_SomebodyWritesMeanwhile_TheFileHasItAll()
    {
        const int Flushes = 50;
        int length = Pages * Environment.SystemPageSize;
        using IStoreFile file = LinuxFileSystem.Instance.Open(_folder["mapped"], create: true);
        file.Allocate(0, length);
        using IMappedRegion region = file.Map(length, readAhead: true);
        using var enough = new CancellationTokenSource();
        using var begun = new ManualResetEventSlim();
        int rounds = 0;
        var writer = new Thread(() =>
        {
            while (!enough.IsCancellationRequested)
            {
                rounds++;
                for (int page = 0; page < Pages; page++)
                {
                    Write(region, page, rounds);
                }

                begun.Set();
            }
        });
        writer.Start();
        Assert.True(begun.Wait(TimeSpan.FromSeconds(60)));
        for (int flush = 0; flush < Flushes; flush++)
        {
            // From within the first page to within the last.
            region.LetGo(100, length - 200);
            region.Flush(100, length - 200);
        }

        enough.Cancel();
        writer.Join();
        byte[] content = new byte[length];
        Assert.Equal(length, file.Read(0, content));
        for (int page = 0; page < Pages; page++)
        {
            Assert.Equal(rounds, BinaryPrimitives.ReadInt32BigEndian(content.AsSpan(page * Environment.SystemPageSize)));
        }
    }

    private static unsafe void Write(IMappedRegion region, int page, int value) =>
        BinaryPrimitives.WriteInt32BigEndian(
            new Span<byte>((byte*)region.Address + (page * Environment.SystemPageSize), sizeof(int)), value);
}
