using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;

namespace GrayMQ.NameServer.Tests;

public sealed class BadInputTests
{
    [Theory]
    [InlineData("garbage", false)]
    [InlineData("garbage", true)]
    [InlineData("{\"topicConfigSerializeWrapper\":", false)]
    [InlineData("{\"topicConfigSerializeWrapper\":[]}", false)]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", false)]
    [InlineData("{\"topicConfigSerializeWrapper\":{\"topicConfigTable\":{\"T\":{\"readQueueNums\":99999999999}}}}", false)]
    [InlineData("{\"topicConfigSerializeWrapper\":{\"topicConfigTable\":{\"\":{},\"T\":{}}}}", false)]
    [InlineData("{\"topicConfigSerializeWrapper\":{\"topicConfigTable\":{\"A\\u0000B\":{},\"T\":{}}}}", false)]
    public async Task Registration_WithBrokenBody_IsRefusedWithAReason(string body, bool compressed)
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        RemotingCommand refused = await server.AskAsync(
            RequestCode.RegisterBroker, TestNameServer.Header("a") with { Compressed = compressed }, Encoding.UTF8.GetBytes(body));

        Assert.Equal(ResponseCode.SystemError, refused.ResponseCode);
        Assert.False(string.IsNullOrEmpty(refused.Remark));
        Assert.Empty((await server.DescribeClustersAsync()).BrokerAddrTable);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Registration_CutAnywhere_IsRefused(bool compressed)
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        byte[] whole = RegisterBrokerBodyCodec.Encode(
            new RegisterBrokerBody { TopicConfigSerializeWrapper = TestNameServer.Topics("T", "U") }, compressed);

        // The last bytes of the zlib form are its checksum, which nobody needs to read.
        for (int length = 1; length < whole.Length - (compressed ? 8 : 0); length++)
        {
            RemotingCommand refused = await server.AskAsync(
                RequestCode.RegisterBroker, TestNameServer.Header("a") with { Compressed = compressed }, whole[..length]);
            Assert.Equal(ResponseCode.SystemError, refused.ResponseCode);
        }

        Assert.Empty(await server.ListTopicsAsync());
    }

    [Fact]
    public async Task Registration_WithNamesThatCannotBe_IsRefused()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        RegisterBrokerHeader good = TestNameServer.Header("a");
        RegisterBrokerHeader[] bad =
        [
            good with { BrokerName = "" },
            good with { BrokerName = new string('n', 256) },
            good with { BrokerAddress = " " },
            good with { BrokerAddress = "a:1\n" },
            good with { ClusterName = new string('c', 5_000) },
            good with { BrokerId = -1 },
        ];

        foreach (RegisterBrokerHeader header in bad)
        {
            RemotingCommand refused = await server.AskAsync(RequestCode.RegisterBroker, header);
            Assert.Equal(ResponseCode.SystemError, refused.ResponseCode);
        }

        Assert.Empty((await server.DescribeClustersAsync()).BrokerAddrTable);
    }

    [Fact]
    public async Task Nodes_UnderOneName_AreLimited()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        for (long id = 0; id < 100; id++)
        {
            await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), TestNameServer.Header("a", id));
        }

        RemotingCommand refused = await server.RegisterAsync("a", TestNameServer.Topics("T", "U"), TestNameServer.Header("a", 100));

        Assert.Equal("100 nodes are registered as a, which is the limit", refused.Remark);
    }

    [Theory]
    [InlineData(RequestCode.QueryDataVersion)]
    [InlineData(RequestCode.RegisterTopicInNameServer)]
    [InlineData(RequestCode.UpdateNameServerConfig)]
    public async Task Requests_WithGarbageBodies_LeaveTheServerServing(RequestCode code)
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));

        RemotingCommand refused = await RawRequest.AskAsync(server.Port, code, 479, [0xFF, 0x00, 0x7B, 0x22, 0xC3], new()
        {
            ["topic"] = "X",
            ["brokerName"] = "a",
            ["brokerAddr"] = "a-0:10911",
            ["clusterName"] = "C",
            ["brokerId"] = "0",
        });

        Assert.Equal(ResponseCode.SystemError, refused.ResponseCode);
        Assert.NotNull(await server.FindRouteAsync("T"));
    }

    [Fact]
    public async Task RouteQuery_WithNameBeyondEveryLimit_FindsNothing()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        Assert.Null(await server.FindRouteAsync(new string('t', 60_000)));
        Assert.Null(await server.FindRouteAsync(""));
        RemotingCommand withoutTopic = await server.AskAsync(RequestCode.GetRouteInfoByTopic, default(NoHeader));
        Assert.Equal("the custom field <topic> is null", withoutTopic.Remark);
    }
}
