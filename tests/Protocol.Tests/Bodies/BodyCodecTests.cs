using System.Buffers;
using System.Text;
using System.Text.Json;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Bodies.Json;

namespace GrayMQ.Protocol.Tests.Bodies;

public sealed class BodyCodecTests
{
    private static readonly MessageQueue Queue = new("T", "broker-a", 3);

    [Theory]
    [InlineData("BrokerStatsData.0.json", typeof(BrokerStatsData))]
    [InlineData("BrokerStatsData.1.json", typeof(BrokerStatsData))]
    [InlineData("CheckClientRequestBody.0.json", typeof(CheckClientRequestBody))]
    [InlineData("ClusterInfo.0.json", typeof(ClusterInfo))]
    [InlineData("ConsumeStats.0.json", typeof(ConsumeStats))]
    [InlineData("ConsumeStats.1.json", typeof(ConsumeStats))]
    [InlineData("ConsumeStatsList.0.json", typeof(ConsumeStatsList))]
    [InlineData("GetConsumerListByGroupResponseBody.0.json", typeof(GetConsumerListByGroupResponseBody))]
    [InlineData("GetConsumerListByGroupResponseBody.1.json", typeof(GetConsumerListByGroupResponseBody))]
    [InlineData("GroupList.0.json", typeof(GroupList))]
    [InlineData("GroupList.1.json", typeof(GroupList))]
    [InlineData("HeartbeatData.0.json", typeof(HeartbeatData))]
    [InlineData("HeartbeatData.1.json", typeof(HeartbeatData))]
    [InlineData("LockBatchRequestBody.0.json", typeof(LockBatchRequestBody))]
    [InlineData("LockBatchRequestBody.1.json", typeof(LockBatchRequestBody))]
    [InlineData("LockBatchResponseBody.0.json", typeof(LockBatchResponseBody))]
    [InlineData("LockBatchResponseBody.1.json", typeof(LockBatchResponseBody))]
    [InlineData("QueryAssignmentRequestBody.0.json", typeof(QueryAssignmentRequestBody))]
    [InlineData("QueryAssignmentRequestBody.1.json", typeof(QueryAssignmentRequestBody))]
    [InlineData("QueryAssignmentResponseBody.0.json", typeof(QueryAssignmentResponseBody))]
    [InlineData("QueryAssignmentResponseBody.1.json", typeof(QueryAssignmentResponseBody))]
    [InlineData("RegisterBrokerBody.0.json", typeof(RegisterBrokerBody))]
    [InlineData("RegisterBrokerBody.1.json", typeof(RegisterBrokerBody))]
    [InlineData("SetMessageRequestModeRequestBody.0.json", typeof(SetMessageRequestModeRequestBody))]
    [InlineData("SubscriptionGroupConfig.0.json", typeof(SubscriptionGroupConfig))]
    [InlineData("SubscriptionGroupConfig.1.json", typeof(SubscriptionGroupConfig))]
    [InlineData("TopicConfig.0.json", typeof(TopicConfig))]
    [InlineData("TopicConfig.1.json", typeof(TopicConfig))]
    [InlineData("TopicList.0.json", typeof(TopicList))]
    [InlineData("TopicStatsTable.0.json", typeof(TopicStatsTable))]
    [InlineData("UnlockBatchRequestBody.0.json", typeof(UnlockBatchRequestBody))]
    [InlineData("UnlockBatchRequestBody.1.json", typeof(UnlockBatchRequestBody))]
    public void Body_OfRocketMq_IsWrittenBackByteForByte(string file, Type type)
    {
        var roundTrip = typeof(BodyCodecTests)
            .GetMethod(nameof(RoundTrip), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
            .MakeGenericMethod(type);

        var written = (string)roundTrip.Invoke(null, [GoldenBodies.Read(file), BodyJsonForm.Fastjson])!;

        Assert.Equal(Encoding.UTF8.GetString(GoldenBodies.Read(file)), written);
    }

    [Theory]
    [InlineData("TopicRouteData.0.json")]
    [InlineData("TopicRouteData.1.json")]
    public void Route_InStandardForm_IsWrittenBackByteForByte(string file) =>
        Assert.Equal(
            Encoding.UTF8.GetString(GoldenBodies.Read(file)),
            RoundTrip<TopicRouteData>(GoldenBodies.Read(file), BodyJsonForm.Standard));

    [Fact]
    public void Route_InOldForm_DiffersOnlyInUnquotedBrokerIds() =>
        Assert.Equal(
            Encoding.UTF8.GetString(GoldenBodies.Read("TopicRouteData.0.json"))
                .Replace("{\"0\":", "{0:", StringComparison.Ordinal),
            RoundTrip<TopicRouteData>(GoldenBodies.Read("TopicRouteData.0.json"), BodyJsonForm.Fastjson));

    [Fact]
    public void EveryBody_HasItsFieldsInOrdinalOrder()
    {
        var bodies = typeof(BodyCodec).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(BodyCodec).Namespace && type.GetMethod("<Clone>$") is not null)
            .ToList();

        Assert.True(bodies.Count > 40);
        Assert.All(bodies, type =>
        {
            // A type that no body reaches would throw here.
            var names = BodyJsonOptions.Of(BodyJsonForm.Fastjson).GetTypeInfo(type).Properties.Select(p => p.Name).ToList();
            Assert.NotEmpty(names);
            Assert.Equal(names.Order(StringComparer.Ordinal), names);
        });
    }

    [Fact]
    public void Decode_OfNumericAndObjectKeys_ReadsQuotedAndUnquotedAlike()
    {
        const string Object = """{"brokerName":"broker-a","queueId":3,"topic":"T"}""";
        var unquoted = BodyCodec.Decode<ResetOffsetBody>(Utf8("{\"offsetTable\":{" + Object + ":7}}"));
        var quoted = BodyCodec.Decode<ResetOffsetBody>(
            Utf8("{\"offsetTable\":{" + JsonSerializer.Serialize(Object) + ":7}}"));

        Assert.Equal(7, unquoted.OffsetTable[Queue]);
        Assert.Equal(7, quoted.OffsetTable[Queue]);
        var offsets = BodyCodec.Decode<ConsumerOffsetSerializeWrapper>(Utf8("""{"offsetTable":{"T@G":{0:5,"1":6}}}"""));
        Assert.Equal(5, offsets.OffsetTable["T@G"][0]);
        Assert.Equal(6, offsets.OffsetTable["T@G"][1]);
    }

    [Fact]
    public void Encode_OfNestedQueueMap_IsReadBack()
    {
        var body = new GetConsumerStatusBody { ConsumerTable = { ["c1"] = new() { [Queue] = 9 } } };

        var json = Encoding.UTF8.GetString(BodyCodec.Encode(body));

        Assert.Equal(
            """{"consumerTable":{"c1":{{"brokerName":"broker-a","queueId":3,"topic":"T"}:9}},"messageQueueTable":{}}""", json);
        Assert.Equal(9, BodyCodec.Decode<GetConsumerStatusBody>(Utf8(json)).ConsumerTable["c1"][Queue]);
    }

    [Theory]
    [InlineData("""{'clientID':'it\'s "c"',"unknown":{"a":[1,{}]},"heartbeatFingerprint":null,"withoutSub":true}""")]
    [InlineData("""{clientID:"it's \"c\"",,withoutSub:true,producerDataSet:null,heartbeatFingerprint:0,}""")]
    [InlineData("""{"ClientId":"x","CLIENTID":"it's \x22c\"","withoutSub":true}""")]
    public void Decode_OfWhatFastjsonTolerates_ReadsIt(string json)
    {
        var heartbeat = BodyCodec.Decode<HeartbeatData>(Utf8(json));

        Assert.Equal("it's \"c\"", heartbeat.ClientId);
        Assert.True(heartbeat.WithoutSub);
        Assert.Empty(heartbeat.ProducerDataSet);
    }

    [Fact]
    public void Decode_OfCppClientHeartbeat_TakesOrdinalsAndNumbersInStrings()
    {
        var heartbeat = BodyCodec.Decode<HeartbeatData>(Utf8(
            """
            {"clientID":"c","consumerDataSet":[{"groupName":"G","consumeFromWhere":4,"consumeType":1,"messageModel":0,
             "subscriptionDataSet":[{"topic":"T","subString":"*","subVersion":"1795293906875","codeSet":["-5"],"tagsSet":[]}]}]}
            """));

        var consumer = Assert.Single(heartbeat.ConsumerDataSet);
        Assert.Equal(ConsumeFromWhere.FirstOffset, consumer.ConsumeFromWhere);
        Assert.Equal(ConsumeType.Passively, consumer.ConsumeType);
        Assert.Equal(MessageModel.Broadcasting, consumer.MessageModel);
        var subscription = Assert.Single(consumer.SubscriptionDataSet);
        Assert.Equal(1795293906875, subscription.SubVersion);
        Assert.Equal(-5, Assert.Single(subscription.CodeSet));
        Assert.Equal("TAG", subscription.ExpressionType);
    }

    [Fact]
    public void Decode_WithFieldsMissing_KeepsDefaults()
    {
        var group = BodyCodec.Decode<SubscriptionGroupConfig>(Utf8("""{"groupName":"G", /* a comment */ "attributes":null}"""));

        Assert.True(group.ConsumeEnable);
        Assert.Equal(16, group.RetryMaxTimes);
        Assert.Empty(group.Attributes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"clientID\":\"c")]
    [InlineData("{\"clientID\":12}")]
    [InlineData("{\"clientID\":\"\\q\"}")]
    [InlineData("{\"heartbeatFingerprint\":99999999999}")]
    [InlineData("{}{}")]
    [InlineData("\0\u0001\u0002")]
    public void Decode_OfGarbage_IsRefused(string json) =>
        Assert.Throws<BodyFormatException>(() => BodyCodec.Decode<HeartbeatData>(Utf8(json)));

    [Theory]
    [InlineData("{\"a\":", "}")]
    [InlineData("[", "]")]
    [InlineData("{{", "}")]
    public void Decode_OfNestingWithoutEnd_IsRefusedWithoutOverflow(string open, string close)
    {
        var deep = string.Concat(Enumerable.Repeat(open, 100_000)) + "1" + string.Concat(Enumerable.Repeat(close, 100_000));

        Assert.Throws<BodyFormatException>(() => BodyCodec.Decode<HeartbeatData>(Utf8(deep)));
    }

    [Fact]
    public void Decode_OfEveryTruncation_IsRefusedOrRead()
    {
        var golden = GoldenBodies.Read("ConsumeStats.1.json");

        for (var length = 0; length < golden.Length; length++)
        {
            Assert.Throws<BodyFormatException>(() => BodyCodec.Decode<ConsumeStats>(golden.AsSpan(0, length)));
        }
    }

    [Fact]
    public void Decode_OfSegmentedBytes_ReadsAcrossTheSeams()
    {
        var golden = GoldenBodies.Read("HeartbeatData.1.json");
        var first = new Segment(golden.AsMemory(0, 100), null);
        var last = new Segment(golden.AsMemory(100), first);

        var heartbeat = BodyCodec.Decode<HeartbeatData>(new ReadOnlySequence<byte>(first, 0, last, golden.Length - 100));

        Assert.Equal(golden, BodyCodec.Encode(heartbeat));
    }

    [Theory]
    [InlineData(0.0, "0.0")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(1.0, "1.0")]
    [InlineData(-2.5, "-2.5")]
    [InlineData(100, "100.0")]
    [InlineData(1234567.125, "1234567.125")]
    [InlineData(9999999, "9999999.0")]
    [InlineData(1e7, "1.0E7")]
    [InlineData(1.5e300, "1.5E300")]
    [InlineData(0.001, "0.001")]
    [InlineData(0.0123, "0.0123")]
    [InlineData(0.0001, "1.0E-4")]
    [InlineData(0.1 + 0.2, "0.30000000000000004")]
    public void Format_OfDoubles_IsThatOfJava(double value, string expected) =>
        Assert.Equal(expected, JavaDoubleConverter.Format(value));

    [Fact]
    public void Encode_OfWhatIsNoNumber_WritesNull() =>
        Assert.Equal(
            """{"consumeTps":null,"offsetTable":{}}""",
            Encoding.UTF8.GetString(BodyCodec.Encode(new ConsumeStats { ConsumeTps = double.NaN })));

    [Fact]
    public void MessageQueues_Sorted_ComeByTopicBrokerAndId()
    {
        MessageQueue[] queues = [new("b", "a", 0), new("a", "b", 0), new("a", "a", 10), new("a", "a", 9), new("B", "z", 0)];

        Assert.Equal(
            [new("B", "z", 0), new("a", "a", 9), new("a", "a", 10), new("a", "b", 0), new("b", "a", 0)], queues.Order());
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string RoundTrip<T>(byte[] json, BodyJsonForm form) =>
        Encoding.UTF8.GetString(BodyCodec.Encode(BodyCodec.Decode<T>(json), form));

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
