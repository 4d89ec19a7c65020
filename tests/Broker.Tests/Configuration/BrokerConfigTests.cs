using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Configuration;

public class BrokerConfigTests
{
    [Fact]
    public async Task Get_AllSettings_AreLinesOfKeyAndValue()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();

        (string[] lines, DataVersion version) = await GetAsync(broker.Connect("a"));

        Assert.Contains("brokerName=broker-a", lines);
        Assert.Contains("brokerPermission=6", lines);
        Assert.Contains("flushDiskType=ASYNC_FLUSH", lines);
        Assert.Contains("notifyConsumerIdsChangedEnable=true", lines);
        Assert.Equal(0, version.Counter);
    }

    [Fact]
    public async Task Update_OfWhatMayChange_IsInForceAndKeptInTheFile()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("a");
        await RunningBroker.SendAsync(peer, "T", 0, "body");

        DataVersion topics = await TopicVersionAsync(peer);

        RemotingCommand reply = await UpdateAsync(peer, "brokerPermission=4\n");

        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);

        // Name servers take over permissions only with a newer version.
        Assert.Equal(topics.Counter + 1, (await TopicVersionAsync(peer)).Counter);
        (string[] lines, DataVersion version) = await GetAsync(peer);
        Assert.Contains("brokerPermission=4", lines);
        Assert.Equal(1, version.Counter);
        RemotingCommand send = await peer.AskAsync(RequestCode.SendMessageV2, new SendMessageHeader
        {
            ProducerGroup = "P"u8.ToArray(),
            Topic = "T"u8.ToArray(),
            DefaultTopic = "TBW102"u8.ToArray(),
        });
        Assert.Equal(ResponseCode.NoPermission, send.ResponseCode);
        string file = await File.ReadAllTextAsync(broker.SettingsPath);
        Assert.Contains("brokerPermission=4", file, StringComparison.Ordinal);
        Assert.Contains("# the test's", file, StringComparison.Ordinal);

        await broker.RestartAsync();
        Assert.Contains("brokerPermission=4", (await GetAsync(broker.Connect("a"))).Lines);
    }

    [Fact]
    public async Task Update_WithAWholeConfiguration_ChangesOnlyWhatDiffers()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("a");
        (string[] lines, _) = await GetAsync(peer);

        string changed = string.Join('\n', lines).Replace(
            "notifyConsumerIdsChangedEnable=true", "notifyConsumerIdsChangedEnable=false", StringComparison.Ordinal);
        RemotingCommand reply = await UpdateAsync(peer, changed);

        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
        string file = await File.ReadAllTextAsync(broker.SettingsPath);
        Assert.EndsWith("notifyConsumerIdsChangedEnable=false\n", file, StringComparison.Ordinal);
        Assert.DoesNotContain("listenPort", file, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("listenPort=1234", "cannot be changed while the broker runs")]
    [InlineData("brokerPermission=9", "expected")]
    [InlineData("brokerPermision=4", "brokerPermission")]
    [InlineData("brokerPermission=4\nlistenPort=1234", "cannot be changed while the broker runs")]
    public async Task Update_OfWhatMayNotChange_IsRefusedAsAWhole(string body, string reason)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("a");
        string before = await File.ReadAllTextAsync(broker.SettingsPath);

        RemotingCommand reply = await UpdateAsync(peer, body);

        Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
        Assert.Contains(reason, reply.Remark, StringComparison.Ordinal);
        (string[] lines, DataVersion version) = await GetAsync(peer);
        Assert.Contains("brokerPermission=6", lines);
        Assert.Equal(0, version.Counter);
        Assert.Equal(before, await File.ReadAllTextAsync(broker.SettingsPath));
    }

    [Fact]
    public async Task Update_FileCannotBeWritten_ChangesNothing()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("a");

        // Where the new file would be made, something else is.
        Directory.CreateDirectory(broker.SettingsPath + ".new");
        RemotingCommand reply = await UpdateAsync(peer, "brokerPermission=4");

        Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
        Assert.StartsWith("nothing has changed", reply.Remark, StringComparison.Ordinal);
        Assert.Contains("brokerPermission=6", (await GetAsync(peer)).Lines);
    }

    private static async Task<(string[] Lines, DataVersion Version)> GetAsync(Peer peer)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.GetBrokerConfig, default(NoHeader));
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
        var header = GetBrokerConfigResponseHeader.Read(reply.Fields);
        return (
            Encoding.UTF8.GetString(reply.Body).Split('\n', StringSplitOptions.RemoveEmptyEntries),
            BodyCodec.Decode<DataVersion>(Encoding.UTF8.GetBytes(header.Version)));
    }

    private static async Task<DataVersion> TopicVersionAsync(Peer peer) =>
        (await peer.AskAsync<NoHeader, TopicConfigSerializeWrapper>(RequestCode.GetAllTopicConfig, default)).DataVersion;

    private static Task<RemotingCommand> UpdateAsync(Peer peer, string body) =>
        peer.AskAsync(RequestCode.UpdateBrokerConfig, default(NoHeader), Encoding.UTF8.GetBytes(body));
}
