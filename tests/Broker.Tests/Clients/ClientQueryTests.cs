using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Clients;

public class ClientQueryTests
{
    [Fact]
    public async Task Consumers_Online_AreNamedWithWhatTheySubscribeTo()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");
        await peer.HeartbeatAsync("G", [ClientsFixture.To("T", "TagA", 12)]);
        await broker.Connect("c2").HeartbeatAsync("G", [ClientsFixture.To("T", "TagA", 12)]);

        ConsumerConnection body = await peer.AskAsync<GetConsumerConnectionListHeader, ConsumerConnection>(
            RequestCode.GetConsumerConnectionList, new GetConsumerConnectionListHeader { ConsumerGroup = "G" });

        Assert.Equal(ConsumeType.Passively, body.ConsumeType);
        Assert.Equal(MessageModel.Clustering, body.MessageModel);
        Assert.Equal(ConsumeFromWhere.FirstOffset, body.ConsumeFromWhere);
        Assert.Equal(["c1", "c2"], body.ConnectionSet.Select(each => each.ClientId).Order());
        Assert.All(body.ConnectionSet, each => Assert.StartsWith("127.0.0.1:", each.ClientAddr, StringComparison.Ordinal));
        Assert.All(body.ConnectionSet, each => Assert.Equal(RemotingCommand.CurrentVersion, each.Version));
        Assert.All(body.ConnectionSet, each => Assert.Equal("DOTNET", each.Language));
        Assert.Equal("TagA", body.SubscriptionTable["T"].SubString);
        Assert.Equal(12, body.SubscriptionTable["T"].SubVersion);
    }

    [Fact]
    public async Task Consumers_OfAGroupThatIsNotOnline_AreRefused()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();

        RemotingCommand reply = await broker.Connect("a").AskAsync(
            RequestCode.GetConsumerConnectionList, new GetConsumerConnectionListHeader { ConsumerGroup = "GD" });

        Assert.Equal(ResponseCode.ConsumerNotOnline, reply.ResponseCode);
        Assert.Equal("the consumer group[GD] not online", reply.Remark);
    }

    [Fact]
    public async Task Producers_Online_AreNamed()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("p1");
        await peer.HeartbeatAsync("""{"clientID":"p1","producerDataSet":[{"groupName":"P"},{"groupName":"Q"}]}""");

        ProducerConnection one = await peer.AskAsync<GetProducerConnectionListHeader, ProducerConnection>(
            RequestCode.GetProducerConnectionList, new GetProducerConnectionListHeader { ProducerGroup = "P" });
        ProducerTableInfo all = await peer.AskAsync<NoHeader, ProducerTableInfo>(RequestCode.GetAllProducerInfo, default);

        Assert.Equal("p1", Assert.Single(one.ConnectionSet).ClientId);
        Assert.Equal(["P", "Q"], all.Data.Keys.Order());
        ProducerInfo info = Assert.Single(all.Data["Q"]);
        Assert.Equal("p1", info.ClientId);
        Assert.Equal(broker.Time.NowMs, info.LastUpdateTimestamp);
        RemotingCommand none = await peer.AskAsync(
            RequestCode.GetProducerConnectionList, new GetProducerConnectionListHeader { ProducerGroup = "R" });
        Assert.Equal(ResponseCode.SystemError, none.ResponseCode);
    }

    [Fact]
    public async Task GroupsOfTopic_OnlineOrWithOffsets_AreNamedOnce()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");
        await peer.HeartbeatAsync("Both", [ClientsFixture.To("T")]);
        await peer.HeartbeatAsync("Online", [ClientsFixture.To("T")]);
        broker.Offsets.Commit("Both", "T", 0, 5);
        broker.Offsets.Commit("Gone", "T", 0, 5);
        broker.Offsets.Commit("Other", "U", 0, 5);

        GroupList groups = await peer.AskAsync<TopicHeader, GroupList>(RequestCode.QueryTopicConsumeByWho, new TopicHeader("T"));

        Assert.Equal(["Both", "Gone", "Online"], groups.Groups);
    }

    [Fact]
    public async Task Subscription_OfAGroup_IsAnsweredOrLeftOut()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");
        await peer.HeartbeatAsync("G", [ClientsFixture.To("T", "TagA")]);

        QuerySubscriptionResponseBody known = await AskAsync("G", "T");
        QuerySubscriptionResponseBody unknown = await AskAsync("G", "U");

        Assert.Equal(("G", "T", "TagA"), (known.Group, known.Topic, known.SubscriptionData!.SubString));
        Assert.Null(unknown.SubscriptionData);

        Task<QuerySubscriptionResponseBody> AskAsync(string group, string topic) =>
            peer.AskAsync<GroupTopicHeader, QuerySubscriptionResponseBody>(
                RequestCode.QuerySubscriptionByConsumer, new GroupTopicHeader { Group = group, Topic = topic });
    }

    [Theory]
    [InlineData("", ResponseCode.Success)]
    [InlineData("""{"clientId":"c","group":"G","subscriptionData":{"topic":"T","subString":"A"}}""", ResponseCode.Success)]
    [InlineData("""{"clientId":"c","group":"G","subscriptionData":{"topic":"T","subString":"A","expressionType":"TAG"}}""", ResponseCode.Success)]
    [InlineData("""{"clientId":"c","group":"G","subscriptionData":{"topic":"T","subString":"a>1","expressionType":"SQL92"}}""", ResponseCode.Success)]
    [InlineData("""{"clientId":"c","group":"G","subscriptionData":{"topic":"T","subString":"a>","expressionType":"SQL92"}}""", ResponseCode.SubscriptionParseFailed)]
    [InlineData("""{"clientId":"c","group":"G","subscriptionData":{"topic":"T","subString":"a>1 && b=='x'","expressionType":"HEADER"}}""", ResponseCode.Success)]
    [InlineData("""{"clientId":"c","group":"G","subscriptionData":{"topic":"T","subString":"a>1","expressionType":"LUA"}}""", ResponseCode.SystemError)]
    [InlineData("nonsense", ResponseCode.SystemError)]
    public async Task CheckConfig_OfExpression_SaysWhetherItIsSupported(string body, ResponseCode expected)
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();

        RemotingCommand reply = await broker.Connect("c").AskAsync(
            RequestCode.CheckClientConfig, default(NoHeader), Encoding.UTF8.GetBytes(body));

        Assert.Equal(expected, reply.ResponseCode);
        if (body.Contains("LUA", StringComparison.Ordinal))
        {
            Assert.Equal("The broker does not support consumer to filter message by LUA", reply.Remark);
        }
    }
}
