using System.Text;
using GrayMQ.Broker.Metadata;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Topics;

public sealed class TopicHandlerTests
{
    private static readonly CreateTopicHeader Create = new()
    {
        Topic = "T",
        DefaultTopic = "TBW102",
        ReadQueueNums = 2,
        WriteQueueNums = 3,
        Permission = 6,
        Attributes = "+message.type=FIFO",
    };

    [Fact]
    public async Task Put_Topic_IsThereForGet()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        await SucceedAsync(broker, RequestCode.UpdateAndCreateTopic, Create);

        TopicConfig config = await broker.Client.AskAsync<TopicHeader, TopicConfig>(RequestCode.GetTopicConfig, new TopicHeader("T"));
        Assert.Equal(
            new TopicConfig
            {
                TopicName = "T",
                ReadQueueNums = 2,
                WriteQueueNums = 3,
                Perm = 6,
                Attributes = new() { ["message.type"] = "FIFO" },
            },
            config);
    }

    [Theory]
    [InlineData("TBW102", "conflict with system topic")]
    [InlineData("rmq_sys_mine", "conflict with system topic")]
    [InlineData("DefaultCluster", "conflict with system topic")]
    [InlineData("a b", "illegal characters")]
    public async Task Put_NameThatCannotBe_IsRefused(string topic, string reason)
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        RemotingCommand reply = await broker.Client.AskAsync(RequestCode.UpdateAndCreateTopic, Create with { Topic = topic });

        Assert.Equal(ResponseCode.InvalidParameter, reply.ResponseCode);
        Assert.Contains(reason, reply.Remark);
    }

    [Theory]
    [InlineData("message.type=FIFO", "add/alter attribute format is wrong")]
    [InlineData("+message.type", "delete attribute format is wrong")]
    [InlineData("+message.type=FIFO,+message.type=NORMAL", "key duplication")]
    public async Task Put_AttributesOfNoForm_AreRefused(string attributes, string reason)
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        RemotingCommand reply = await broker.Client.AskAsync(RequestCode.UpdateAndCreateTopic, Create with { Attributes = attributes });

        Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
        Assert.Contains(reason, reply.Remark);
    }

    [Fact]
    public async Task PutList_Topics_AreAllThere()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();
        byte[] body = Encoding.UTF8.GetBytes(
            """{"topicConfigList":[{"topicName":"A","perm":6,"readQueueNums":1,"writeQueueNums":1},{"topicName":"B","perm":4}]}""");

        RemotingCommand reply = await broker.Client.AskAsync(RequestCode.UpdateAndCreateTopicList, default(NoHeader), body);

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Equal(1, broker.Topics.Find("A")!.Config.ReadQueueNums);
        Assert.Equal(TopicPermission.Read, broker.Topics.Find("B")!.Config.Perm);
    }

    [Fact]
    public async Task PutList_BodyIsNoList_IsRefused()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        RemotingCommand reply = await broker.Client.AskAsync(RequestCode.UpdateAndCreateTopicList, default(NoHeader), "{{"u8.ToArray());

        Assert.NotEqual(ResponseCode.Success, reply.ResponseCode);
        Assert.NotNull(reply.Remark);
    }

    [Fact]
    public async Task GetAll_Topics_ComeWithTheirVersion()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        TopicConfigAndMappingSerializeWrapper all =
            await broker.Client.AskAsync<NoHeader, TopicConfigAndMappingSerializeWrapper>(RequestCode.GetAllTopicConfig, default);

        Assert.Equal(broker.Topics.Version, all.DataVersion);
        Assert.Equal(8, all.TopicConfigTable["TBW102"].ReadQueueNums);
        Assert.Equal(broker.Topics.Count, all.TopicConfigTable.Count);
    }

    [Fact]
    public async Task Get_NoSuchTopic_SaysSo()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        RemotingCommand reply = await broker.Client.AskAsync(RequestCode.GetTopicConfig, new TopicHeader("None"));

        Assert.Equal(ResponseCode.TopicNotExist, reply.ResponseCode);
        Assert.Contains("None", reply.Remark);
    }

    [Fact]
    public async Task GetSystemTopics_HasThoseThatAreReserved()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        TopicList list = await broker.Client.AskAsync<NoHeader, TopicList>(RequestCode.GetSystemTopicListFromBroker, default);

        Assert.Contains("SCHEDULE_TOPIC_XXXX", list.Topics);
        Assert.Contains("RMQ_SYS_TRACE_TOPIC", list.Topics);
        Assert.Contains("broker-a", list.Topics);
    }

    [Fact]
    public async Task Delete_Topic_TakesQueuesOffsetsAndPopRetryTopicsAlong()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();
        broker.Topics.Put(new TopicConfig { TopicName = "T" });
        broker.Topics.CreateOnSendBack("%RETRY%g_T", 1);
        broker.Topics.CreateOnSendBack("%RETRY%g+T", 1);
        broker.Topics.CreateOnSendBack("%RETRY%g", 1);
        await broker.AppendAsync("T", 0, 3);
        broker.Offsets.Commit("g", "T", 0, 2);

        await SucceedAsync(broker, RequestCode.DeleteTopicInBroker, new TopicHeader("T"));

        Assert.Null(broker.Topics.Find("T"));
        Assert.Null(broker.Topics.Find("%RETRY%g_T"));
        Assert.Null(broker.Topics.Find("%RETRY%g+T"));
        Assert.NotNull(broker.Topics.Find("%RETRY%g"));
        Assert.Equal(-1, broker.Offsets.Find("g", "T", 0));
        Assert.Null(broker.Store.FindQueue("T", 0));
        await SucceedAsync(broker, RequestCode.DeleteTopicInBroker, new TopicHeader("T"));
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("TBW102")]
    public async Task Delete_TopicThatMustStay_IsRefused(string topic)
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        RemotingCommand reply = await broker.Client.AskAsync(RequestCode.DeleteTopicInBroker, new TopicHeader(topic));

        Assert.Equal(ResponseCode.InvalidParameter, reply.ResponseCode);
        Assert.NotNull(broker.Topics.Find("TBW102"));
    }

    private static async Task SucceedAsync<THeader>(MetadataBroker broker, RequestCode code, THeader header)
        where THeader : IHeaderFields
    {
        RemotingCommand reply = await broker.Client.AskAsync(code, header);
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
    }
}
