using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

/// <summary>Stores that Apache RocketMQ 5.3.3 has written.</summary>
public sealed class GoldenStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Unpack(string name)
    {
        using FileStream file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Golden", name + ".tar.gz"));
        using var plain = new GZipStream(file, CompressionMode.Decompress);
        TarFile.ExtractToDirectory(plain, _folder.Path, overwriteFiles: true);
        return _folder["store"];
    }

    private static StoreOptions Options(string root) => TestStore.Options(root) with
    {
        CommitLogFileBytes = 1024 * 1024,
        ConsumeQueueFileBytes = 6_000,
        MaxHashSlots = 2_000,
        MaxIndexEntries = 8_000,
    };

    private static List<JsonElement> Messages(string name) =>
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Golden", name + ".messages.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)];

    private static void AssertServes(TestStore store, List<JsonElement> expected)
    {
        using var slices = new MessageSlices();
        var byQueue = expected.GroupBy(
            message => (Topic: message.GetProperty("topic").GetString()!, QueueId: message.GetProperty("queueId").GetInt32()));
        foreach (var queue in byQueue)
        {
            List<ReceivedMessage> actual = store.ReadAll(queue.Key.Topic, queue.Key.QueueId);
            foreach (JsonElement message in queue)
            {
                long queueOffset = message.GetProperty("queueOffset").GetInt64();
                ReceivedMessage found = Assert.Single(actual, candidate => candidate.QueueOffset == queueOffset);
                Assert.Equal(message.GetProperty("physicalOffset").GetInt64(), found.PhysicalOffset);
                Assert.Equal(message.GetProperty("storeTimestamp").GetInt64(), found.StoreTimestampMs);
                Assert.Equal(message.GetProperty("bornTimestamp").GetInt64(), found.BornTimestampMs);
                Assert.Equal(message.GetProperty("reconsumeTimes").GetInt32(), found.ReconsumeTimes);

                // The body as it is stored: a compressed one was recorded compressed.
                Assert.True(store.Store.TryReadMessage(found.PhysicalOffset, slices));
                Assert.True(StoredMessage.TryRead(slices[0], out StoredMessage stored, out string? error), error);
                Assert.Equal(message.GetProperty("bodyLength").GetInt32(), stored.Body.Length);
                Assert.Equal(
                    message.GetProperty("bodySha256").GetString(),
                    Convert.ToHexStringLower(SHA256.HashData(stored.Body)));
                Assert.Equal(message.GetProperty("sysFlag").GetInt32(), stored.SysFlag);
                foreach (JsonProperty property in message.GetProperty("properties").EnumerateObject())
                {
                    Assert.Equal(property.Value.GetString(), found.Properties[property.Name]);
                }
            }
        }
    }

    [Theory]
    [InlineData("store-clean")]
    [InlineData("store-unclean")]
    public async Task Open_RocketMQsStore_ServesEveryMessage(string name)
    {
        string root = Unpack(name);
        List<JsonElement> expected = Messages(name);
        await using (TestStore store = TestStore.Open(Options(root)))
        {
            AssertServes(store, expected);
            Assert.Equal(expected.Count, expected.DistinctBy(message => message.GetProperty("physicalOffset").GetInt64()).Count());
        }

        // And again, after it went through our hands.
        await using TestStore again = TestStore.Open(Options(root));
        AssertServes(again, expected);
    }

    [Theory]
    [InlineData("store-clean")]
    [InlineData("store-unclean")]
    public async Task Open_RocketMQsStore_GoesOnWhereItEnded(string name)
    {
        string root = Unpack(name);
        await using TestStore store = TestStore.Open(Options(root));
        long before = store.Store.MaxPhysicalOffset;
        LogicQueue queue = store.Store.FindQueue("Goldensendpull", 0)!;
        long end = queue.MaxOffset;
        Assert.True(end > 0);

        var result = store.Append("ours", "Goldensendpull", 0);
        Assert.Equal(before, result.PhysicalOffset);
        Assert.Equal(end, result.QueueOffset);
        store.WaitForDispatch();
        Assert.Equal("ours", store.ReadBodies("Goldensendpull")[^1]);
    }

    [Theory]
    [InlineData("store-clean")]
    [InlineData("store-unclean")]
    public async Task QueryByKey_RocketMQsIndex_FindsEveryUniqueKey(string name)
    {
        string root = Unpack(name);
        await using TestStore store = TestStore.Open(Options(root));
        int found = 0;
        foreach (JsonElement message in Messages(name))
        {
            if (message.GetProperty("properties").TryGetProperty("UNIQ_KEY", out JsonElement key))
            {
                IReadOnlyList<long> offsets = store.Store.QueryByKey(
                    message.GetProperty("topic").GetString()!, key.GetString()!, 64, 0, long.MaxValue).PhysicalOffsets;
                Assert.Contains(message.GetProperty("physicalOffset").GetInt64(), offsets);
                found++;
            }
        }

        Assert.True(found > 50);
    }

    [Fact]
    public async Task Open_QueuesLost_RebuildsThemAsRocketMQHadThem()
    {
        string root = Unpack("store-clean");
        var files = Directory.GetFiles(Path.Combine(root, "consumequeue"), "*", SearchOption.AllDirectories)
            .ToDictionary(path => path, File.ReadAllBytes);
        Directory.Delete(Path.Combine(root, "consumequeue"), recursive: true);
        File.Create(Path.Combine(root, "abort")).Dispose();

        await using (TestStore.Open(Options(root), tagsCodes: new GoldenDelayRule()))
        {
        }

        foreach ((string path, byte[] bytes) in files.Where(file => file.Value.AsSpan().ContainsAnyExcept((byte)0)))
        {
            Assert.True(File.Exists(path), path);
            Assert.True(bytes.AsSpan().SequenceEqual(File.ReadAllBytes(path)), path);
        }
    }

    /// <summary>What RocketMQ's broker does for delay level 1, the only one in the recording.</summary>
    private sealed class GoldenDelayRule : Dispatching.ITagsCodeRule
    {
        public long TagsCodeOf(in StoredMessage message, long tagsCode) =>
            message.Topic.SequenceEqual("SCHEDULE_TOPIC_XXXX"u8)
            && message.TryGetProperty(MessagePropertyUtf8.DelayTimeLevel, out ReadOnlySpan<byte> level)
            && level.SequenceEqual("1"u8)
                ? message.StoreTimestampMs + 1_000
                : tagsCode;
    }
}
