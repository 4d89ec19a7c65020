using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Offsets;

public sealed class OffsetHandlerTests
{
    [Fact]
    public async Task Update_ThenQuery_GivesTheOffset()
    {
        await using MetadataBroker broker = await StartAsync();

        Assert.Equal(ResponseCode.Success, (await CommitAsync(broker, 1, 7)).ResponseCode);

        RemotingCommand reply = await QueryAsync(broker, 1);
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Equal(7, OffsetResponseHeader.Read(reply.Fields).Offset);
    }

    [Fact]
    public async Task Update_AnsweredOrTold_SurvivesTheEndOfTheProcess()
    {
        await using MetadataBroker broker = await StartAsync();
        await CommitAsync(broker, 0, 7);
        broker.Offsets.Commit("g"u8, "t"u8, 1, 8);
        await QueryAsync(broker, 1);

        broker.Directory.Close(cleanly: false);

        Assert.Equal(new Dictionary<int, long> { [0] = 7, [1] = 8 }, broker.Directory.OpenOffsets().FindAll("g", "t"));
    }

    [Theory]
    [InlineData("none", "t", ResponseCode.SubscriptionGroupNotExist)]
    [InlineData("g", "none", ResponseCode.TopicNotExist)]
    public async Task Update_UnknownGroupOrTopic_IsRefused(string group, string topic, ResponseCode code)
    {
        await using MetadataBroker broker = await StartAsync();

        Assert.Equal(code, (await CommitAsync(broker, 0, 7, group, topic)).ResponseCode);
        Assert.Null(broker.Groups.FindExisting("none"));
    }

    [Fact]
    public async Task Update_OfAClientThatKnowsNoOffset_IsPassedOver()
    {
        await using MetadataBroker broker = await StartAsync();
        await CommitAsync(broker, 0, 7);

        Assert.Equal(ResponseCode.Success, (await CommitAsync(broker, 0, -1)).ResponseCode);
        Assert.Equal(ResponseCode.InvalidParameter, (await CommitAsync(broker, -1, 1)).ResponseCode);
        Assert.Equal(7, broker.Offsets.Find("g", "t", 0));
    }

    [Fact]
    public async Task Query_NewGroup_BeginsAtZeroWhileTheHeadIsAtHand()
    {
        await using MetadataBroker broker = await StartAsync();
        await broker.AppendAsync("t", 0, 3);

        RemotingCommand reply = await QueryAsync(broker, 0);
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Equal(0, OffsetResponseHeader.Read(reply.Fields).Offset);
        Assert.Equal(ResponseCode.QueryNotFound, (await QueryAsync(broker, 0, setZeroIfNotFound: false)).ResponseCode);
        Assert.Equal(ResponseCode.Success, (await QueryAsync(broker, 0, setZeroIfNotFound: true)).ResponseCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public async Task Query_NewGroupOfAnEmptyQueue_IsForTheClientToDecide(int queueId)
    {
        await using MetadataBroker broker = await StartAsync();
        broker.Store.GetQueue("t", 0);

        Assert.Equal(ResponseCode.QueryNotFound, (await QueryAsync(broker, queueId)).ResponseCode);
    }

    [Fact]
    public async Task GetAllAndTopics_Offsets_AreThere()
    {
        await using MetadataBroker broker = await StartAsync();
        broker.Offsets.Commit("g", "t", 2, 7);

        ConsumerOffsetSerializeWrapper all =
            await broker.Client.AskAsync<NoHeader, ConsumerOffsetSerializeWrapper>(RequestCode.GetAllConsumerOffset, default);
        Assert.Equal(7, all.OffsetTable["t@g"][2]);
        TopicList topics = await broker.Client.AskAsync<GroupHeader, TopicList>(RequestCode.QueryTopicsByConsumer, new GroupHeader("g"));
        Assert.Equal(["t"], topics.Topics);
    }

    [Fact]
    public async Task Reset_ToTheEndAndToATime_IsToldAndPending()
    {
        await using MetadataBroker broker = await StartAsync();
        await broker.AppendAsync("t", 0, 3);
        broker.Directory.Time.Advance(TimeSpan.FromSeconds(10));
        long time = broker.Directory.Time.NowMs;
        broker.Directory.Time.Advance(TimeSpan.FromSeconds(10));
        await broker.AppendAsync("t", 0, 2);

        ResetOffsetBody toTime = await ResetAsync(broker, new ResetOffsetHeader { Topic = "t", Group = "g", TimestampMs = time });
        Assert.Equal(3, toTime.OffsetTable[new MessageQueue("t", MetadataBroker.BrokerName, 0)]);
        Assert.Equal(4, toTime.OffsetTable.Count);
        Assert.Equal(3, broker.Offsets.TakeReset("g"u8, "t"u8, 0));

        ResetOffsetBody toEnd = await ResetAsync(
            broker, new ResetOffsetHeader { Topic = "t", Group = "g", QueueId = 0, Offset = -1, TimestampMs = -1 });
        Assert.Equal(5, Assert.Single(toEnd.OffsetTable).Value);

        RemotingCommand commit = await CommitAsync(broker, 0, 4);
        Assert.Equal(ResponseCode.Success, commit.ResponseCode);
        Assert.Contains("previously reset", commit.Remark);
        Assert.Equal(5, broker.Offsets.Find("g", "t", 0));
    }

    [Theory]
    [InlineData(2, ResponseCode.Success)]
    [InlineData(4, ResponseCode.Success)]
    [InlineData(5, ResponseCode.SystemError)]
    public async Task Reset_ToAnOffset_StaysWithinTheQueue(long offset, ResponseCode code)
    {
        await using MetadataBroker broker = await StartAsync();
        await broker.AppendAsync("t", 0, 3);

        RemotingCommand reply = await broker.Client.AskAsync(
            RequestCode.InvokeBrokerToResetOffset, new ResetOffsetHeader { Topic = "t", Group = "g", QueueId = 0, Offset = offset });

        Assert.Equal(code, reply.ResponseCode);
        Assert.Equal(code == ResponseCode.Success ? offset : -1, broker.Offsets.Find("g", "t", 0));
    }

    [Theory]
    [InlineData("none", "g", ResponseCode.TopicNotExist)]
    [InlineData("t", "none", ResponseCode.SubscriptionGroupNotExist)]
    public async Task Reset_UnknownTopicOrGroup_IsRefused(string topic, string group, ResponseCode code)
    {
        await using MetadataBroker broker = await StartAsync();

        RemotingCommand reply = await broker.Client.AskAsync(
            RequestCode.InvokeBrokerToResetOffset, new ResetOffsetHeader { Topic = topic, Group = group });

        Assert.Equal(code, reply.ResponseCode);
    }

    [Fact]
    public async Task Reset_ByTellingConsumers_ReachesThoseThatAreOnline()
    {
        await using MetadataBroker broker = await StartAsync(
            directory => directory.OffsetOptions = new OffsetOptions { UseServerSideResetOffset = false });
        await broker.AppendAsync("t", 0, 3);
        for (int queueId = 0; queueId < 4; queueId++)
        {
            broker.Offsets.Commit("g", "t", queueId, 2);
        }

        var told = new TaskCompletionSource<ResetOffsetBody>(TaskCreationOptions.RunContinuationsAsynchronously);
        var header = new ResetOffsetHeader { Topic = "t", Group = "g", TimestampMs = -1 };
        Assert.Equal(
            ResponseCode.ConsumerNotOnline, (await broker.Client.AskAsync(RequestCode.InvokeBrokerToResetOffset, header)).ResponseCode);
        Peer consumer = broker.Connect("consumer", table => table.On<ResetOffsetHeader>(
            RequestCode.ResetConsumerClientOffset,
            (request, _) =>
            {
                told.TrySetResult(BodyCodec.Decode<ResetOffsetBody>(request.Body));
                return ValueTask.CompletedTask;
            }));
        await consumer.HeartbeatAsync("g", [ClientsFixture.To("t")]);

        ResetOffsetBody answered = await ResetAsync(broker, header with { IsForce = true });
        ResetOffsetBody notForced = await ResetAsync(broker, header);

        var queue = new MessageQueue("t", MetadataBroker.BrokerName, 0);
        Assert.Equal(3, (await told.Task.WaitAsync(TimeSpan.FromSeconds(60))).OffsetTable[queue]);
        Assert.Equal(3, answered.OffsetTable[queue]);
        Assert.Equal(2, notForced.OffsetTable[queue]);
        Assert.Equal(2, broker.Offsets.Find("g", "t", 0));
    }

    [Fact]
    public async Task Clone_Group_TakesTopicsThatAreHere()
    {
        await using MetadataBroker broker = await StartAsync();
        broker.Offsets.Commit("g", "t", 0, 7);
        broker.Offsets.Commit("g", "elsewhere", 0, 8);

        RemotingCommand reply = await broker.Client.AskAsync(
            RequestCode.CloneGroupOffset, new CloneGroupOffsetHeader { SourceGroup = "g", TargetGroup = "g2" });

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Equal(7, broker.Offsets.Find("g2", "t", 0));
        Assert.Equal(-1, broker.Offsets.Find("g2", "elsewhere", 0));
    }

    [Fact]
    public async Task Clone_TopicThatConsumersLeft_IsTakenOfflineOnly()
    {
        await using MetadataBroker broker = await StartAsync();
        broker.Topics.Put(new TopicConfig { TopicName = "left" });
        broker.Offsets.Commit("g", "t", 0, 7);
        broker.Offsets.Commit("g", "left", 0, 8);
        await broker.Connect("consumer").HeartbeatAsync("g", [ClientsFixture.To("t")]);

        var header = new CloneGroupOffsetHeader { SourceGroup = "g", TargetGroup = "g2" };
        await broker.Client.AskAsync(RequestCode.CloneGroupOffset, header);
        Assert.Equal((7, -1), (broker.Offsets.Find("g2", "t", 0), broker.Offsets.Find("g2", "left", 0)));

        await broker.Client.AskAsync(RequestCode.CloneGroupOffset, header with { Offline = true });
        Assert.Equal(8, broker.Offsets.Find("g2", "left", 0));
    }

    [Fact]
    public async Task Correct_SeveralGroups_GivesTheLowestAndMarksWhoIsBehind()
    {
        await using MetadataBroker broker = await StartAsync();
        broker.Offsets.Commit("g1", "t", 0, 5);
        broker.Offsets.Commit("g2", "t", 0, 3);
        broker.Offsets.Commit("g1", "t", 1, 5);
        broker.Offsets.Commit("slow", "t", 1, 1);

        QueryCorrectionOffsetBody all = await AskAsync(null, "g1");
        QueryCorrectionOffsetBody without = await AskAsync("slow,g2", "slow");

        Assert.Equal(new Dictionary<int, long> { [0] = 3, [1] = 1 }, all.CorrectionOffsets);
        Assert.Equal(new Dictionary<int, long> { [0] = 5, [1] = long.MaxValue }, without.CorrectionOffsets);
        Assert.Equal(1, broker.Offsets.Find("slow", "t", 1));

        Task<QueryCorrectionOffsetBody> AskAsync(string? filter, string compare) =>
            broker.Client.AskAsync<QueryCorrectionOffsetHeader, QueryCorrectionOffsetBody>(
                RequestCode.QueryCorrectionOffset,
                new QueryCorrectionOffsetHeader { Topic = "t", CompareGroup = compare, FilterGroups = filter });
    }

    [Theory]
    [InlineData("topics;", "topics.json")]
    [InlineData("subscriptionGroups;consumerOffsets", "subscriptionGroup.json,consumerOffset.json")]
    public async Task Export_SomeTypes_WritesTheirFiles(string types, string files)
    {
        await using MetadataBroker broker = await StartAsync();

        RemotingCommand reply = await broker.Client.AskAsync(
            RequestCode.ExportRocksDBConfigToJson, new ExportConfigHeader(types));

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Equal(
            files.Split(',').Order(), Directory.EnumerateFiles(broker.Directory.Config, "*.json").Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Export_UnknownType_IsRefused()
    {
        await using MetadataBroker broker = await StartAsync();

        RemotingCommand reply = await broker.Client.AskAsync(
            RequestCode.ExportRocksDBConfigToJson, new ExportConfigHeader("topics;weather"));

        Assert.Equal(ResponseCode.InvalidParameter, reply.ResponseCode);
        Assert.Empty(Directory.EnumerateFiles(broker.Directory.Config, "*.json"));
    }

    private static async Task<MetadataBroker> StartAsync(Action<BrokerDirectory>? prepare = null)
    {
        MetadataBroker broker = await MetadataBroker.StartAsync(prepare);
        broker.Topics.Put(new TopicConfig { TopicName = "t", ReadQueueNums = 4, WriteQueueNums = 4 });
        broker.Groups.Find("g");
        return broker;
    }

    private static Task<RemotingCommand> CommitAsync(
        MetadataBroker broker, int queueId, long offset, string group = "g", string topic = "t") =>
        broker.Client.AskAsync(RequestCode.UpdateConsumerOffset, new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(group),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = queueId,
            CommitOffset = offset,
        });

    private static Task<RemotingCommand> QueryAsync(MetadataBroker broker, int queueId, bool? setZeroIfNotFound = null) =>
        broker.Client.AskAsync(RequestCode.QueryConsumerOffset, new QueryConsumerOffsetHeader
        {
            ConsumerGroup = "g"u8.ToArray(),
            Topic = "t"u8.ToArray(),
            QueueId = queueId,
            SetZeroIfNotFound = setZeroIfNotFound,
        });

    private static Task<ResetOffsetBody> ResetAsync(MetadataBroker broker, ResetOffsetHeader header) =>
        broker.Client.AskAsync<ResetOffsetHeader, ResetOffsetBody>(RequestCode.InvokeBrokerToResetOffset, header);
}
