using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;

namespace GrayMQ.NameServer.Tests;

public sealed class KVConfigTests
{
    [Fact]
    public async Task Values_Put_AreReadListedAndDeleted()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        RemotingCommand missing = await server.AskAsync(RequestCode.GetKVConfig, new KVConfigKeyHeader { Namespace = "N", Key = "k" });
        Assert.Equal(ResponseCode.QueryNotFound, missing.ResponseCode);
        Assert.Equal("No config item, Namespace: N Key: k", missing.Remark);

        await PutAsync(server, "N", "k", "1");
        await PutAsync(server, "N", "k", "2");
        await PutAsync(server, "N", "l", "drei €");
        RemotingCommand found = await server.AskSuccessfullyAsync(RequestCode.GetKVConfig, new KVConfigKeyHeader { Namespace = "N", Key = "k" });
        Assert.Equal("2", GetKVConfigResponseHeader.Read(found.Fields).Value);

        await server.AskSuccessfullyAsync(RequestCode.DeleteKVConfig, new KVConfigKeyHeader { Namespace = "N", Key = "k" });
        Assert.Equal(new() { ["l"] = "drei €" }, await ListAsync(server, "N"));
        Assert.Null(await ListAsync(server, "other"));
    }

    [Fact]
    public async Task Values_AfterRestart_AreThereInRocketMqsFile()
    {
        TestNameServer first = await TestNameServer.StartAsync();
        await PutAsync(first, "ORDER_TOPIC_CONFIG", "T", "a:4;b:4");
        await PutAsync(first, "N", "gone", "x");
        await first.AskSuccessfullyAsync(RequestCode.DeleteKVConfig, new KVConfigKeyHeader { Namespace = "N", Key = "gone" });
        await first.StopAsync();

        await using TestNameServer second = await TestNameServer.StartInAsync(first.Folder);

        Assert.Equal(new() { ["T"] = "a:4;b:4" }, await ListAsync(second, "ORDER_TOPIC_CONFIG"));
        Assert.Equal(
            """{"configTable":{"ORDER_TOPIC_CONFIG":{"T":"a:4;b:4"},"N":{}}}""",
            await File.ReadAllTextAsync(Path.Combine(first.Folder, "kvConfig.json")));
    }

    [Fact]
    public async Task Registration_IsToldTheOrderConfiguration()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await PutAsync(server, "ORDER_TOPIC_CONFIG", "T", "a:4");

        RemotingCommand told = await server.RegisterAsync("a", TestNameServer.Topics("T", "U"));

        Assert.Equal("""{"table":{"T":"a:4"}}""", Encoding.UTF8.GetString(told.Body));
    }

    [Fact]
    public async Task Change_ThatCannotBeWritten_IsRefusedAndDoesNotCount()
    {
        string folder = Directory.CreateTempSubdirectory("namesrv-test-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "file"), "");
        await using TestNameServer server = await TestNameServer.StartInAsync(
            folder, $"kvConfigPath={Path.Combine(folder, "file", "kvConfig.json")}");

        RemotingCommand refused = await server.AskAsync(
            RequestCode.PutKVConfig, new PutKVConfigHeader { Namespace = "N", Key = "k", Value = "1" });

        Assert.Equal(ResponseCode.SystemError, refused.ResponseCode);
        Assert.StartsWith("k of N stays as it was", refused.Remark, StringComparison.Ordinal);
        Assert.Null(await ListAsync(server, "N"));
    }

    [Theory]
    [InlineData("{\"configTable\":{\"N\":{\"k\"")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task Start_WithBrokenFile_IsRefusedAndLeavesTheFile(string content)
    {
        string folder = Directory.CreateTempSubdirectory("namesrv-test-").FullName;
        string path = Path.Combine(folder, "kvConfig.json");
        await File.WriteAllTextAsync(path, content);

        InvalidDataException refused = await Assert.ThrowsAsync<InvalidDataException>(() => TestNameServer.StartInAsync(folder));

        Assert.Contains(path, refused.Message, StringComparison.Ordinal);
        Assert.Equal(content, await File.ReadAllTextAsync(path));
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("", "k", 1)]
    [InlineData("N", " ", 1)]
    [InlineData("N", "k\n", 1)]
    [InlineData("N", "k", 64 * 1024 + 1)]
    public async Task Put_OfWhatNobodyNeeds_IsRefused(string space, string key, int valueLength)
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        RemotingCommand refused = await server.AskAsync(
            RequestCode.PutKVConfig, new PutKVConfigHeader { Namespace = space, Key = key, Value = new string('v', valueLength) });

        Assert.Equal(ResponseCode.SystemError, refused.ResponseCode);
        Assert.False(File.Exists(Path.Combine(server.Folder, "kvConfig.json")));
    }

    private static async Task PutAsync(TestNameServer server, string space, string key, string value) =>
        await server.AskSuccessfullyAsync(RequestCode.PutKVConfig, new PutKVConfigHeader { Namespace = space, Key = key, Value = value });

    private static async Task<Dictionary<string, string>?> ListAsync(TestNameServer server, string space)
    {
        RemotingCommand response = await server.AskAsync(
            RequestCode.GetKVListByNamespace, new GetKVListByNamespaceHeader { Namespace = space });
        return response.ResponseCode == ResponseCode.QueryNotFound ? null : BodyCodec.Decode<KVTable>(response.Body).Table;
    }
}
