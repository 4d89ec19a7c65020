using GrayMQ.Client.Consumers.Offsets;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Tests.Consumers;

public sealed class FileOffsetStoreTests : IDisposable
{
    private static readonly MessageQueue First = new("t", "b", 0);
    private static readonly MessageQueue Second = new("t", "b", 1);

    private readonly string _folder = Directory.CreateTempSubdirectory("offsets-test-").FullName;

    private string Path => System.IO.Path.Combine(_folder, "offsets.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task ReadAsync_NoFile_KnowsNothing() => Assert.Null(await Open().ReadAsync(First, default));

    [Fact]
    public async Task PersistAsync_StoresOnlyTheQueuesGiven_AndKeepsTheOthers()
    {
        using (FileOffsetStore store = Open())
        {
            store.Update(First, 5);
            store.Update(Second, 6);
            await store.PersistAsync([First], default);
        }

        using (FileOffsetStore store = Open())
        {
            Assert.Equal(5, await store.ReadAsync(First, default));
            Assert.Null(await store.ReadAsync(Second, default));
            store.Update(Second, 7);
            await store.PersistAsync([Second], default);
        }

        using FileOffsetStore last = Open();
        Assert.Equal(5, await last.ReadAsync(First, default));
        Assert.Equal(7, await last.ReadAsync(Second, default));
    }

    [Fact]
    public async Task Update_Backwards_IsIgnored_ButResetIsNot()
    {
        using FileOffsetStore store = Open();
        store.Update(First, 5);
        store.Update(First, 3);
        Assert.Equal(5, store.Peek(First));

        store.Reset(First, 3);
        await store.PersistAsync([First], default);

        Assert.Equal(3, await store.ReadAsync(First, default));
    }

    // As RocketMQ's LocalFileOffsetStore writes it: pretty-printed, with objects for keys.
    [Fact]
    public async Task ReadAsync_FileOfAJavaClient_IsUnderstood()
    {
        await File.WriteAllTextAsync(
            Path,
            "{\n\t\"offsetTable\":{{\n\t\t\t\"brokerName\":\"b\",\n\t\t\t\"queueId\":1,\n\t\t\t\"topic\":\"t\"\n\t\t}:42,{\n\t\t\t\"brokerName\":\"b\",\n\t\t\t\"queueId\":0,\n\t\t\t\"topic\":\"t\"\n\t\t}:7\n\t}\n}");

        using FileOffsetStore store = Open();

        Assert.Equal(7, await store.ReadAsync(First, default));
        Assert.Equal(42, await store.ReadAsync(Second, default));
    }

    [Fact]
    public async Task ReadAsync_FileIsCut_TakesTheOneBefore()
    {
        using (FileOffsetStore store = Open())
        {
            store.Update(First, 5);
            await store.PersistAsync([First], default);
            store.Update(First, 6);
            await store.PersistAsync([First], default);
        }

        await File.WriteAllTextAsync(Path, "{\"offsetTable\":{{\"brok");

        using FileOffsetStore again = Open();
        Assert.Equal(5, await again.ReadAsync(First, default));
    }

    private FileOffsetStore Open() => new(_folder, NullLogger.Instance);
}
