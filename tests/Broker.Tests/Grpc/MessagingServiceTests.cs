using System.Globalization;
using System.IO.Compression;
using System.Net;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrayMQ.Broker.Serving;
using GrayMQ.Grpc.Framing;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Testing;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc;

/// <summary>The messaging service, asked for what client libraries do not ask: its limits, and what nobody should send.</summary>
public sealed class MessagingServiceTests : IAsyncLifetime
{
    private const string Service = "/apache.rocketmq.v2.MessagingService/";
    private const string Topic = "GrpcTopic";

    private static readonly V2.Resource TopicResource = new() { Name = Topic };
    private static readonly V2.Resource GroupResource = new() { Name = "GID_grpc" };

    private readonly string _port = $"{FreePorts.Take()}";
    private RunningBroker _broker = null!;
    private RawGrpcClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await RunningBroker.StartAsync(("grpcPort", _port));
        _client = new RawGrpcClient(new IPEndPoint(IPAddress.Loopback, int.Parse(_port, CultureInfo.InvariantCulture)));

        // Made with two queues by its first message.
        await RunningBroker.SendAsync(_broker.Connect("producer"), Topic, 0, "made");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task Call_WithoutAClientId_IsRefused()
    {
        RawGrpcClient.Answer answer = await _client.CallAsync(Service + "QueryRoute", new V2.QueryRouteRequest { Topic = TopicResource });
        Assert.Equal(V2.Code.ClientIdRequired, answer.Only(V2.QueryRouteResponse.Parser).Status.Code);
    }

    [Fact]
    public async Task QueryRoute_OfATopic_NamesItsQueuesAndThisBroker()
    {
        V2.QueryRouteResponse route = await CallAsync("QueryRoute", new V2.QueryRouteRequest { Topic = TopicResource }, V2.QueryRouteResponse.Parser);

        Assert.Equal([0, 1], route.MessageQueues.Select(queue => queue.Id));
        Assert.All(route.MessageQueues, queue =>
        {
            Assert.Equal(V2.Permission.ReadWrite, queue.Permission);
            Assert.Equal(RunningBroker.Name, queue.Broker.Name);
            Assert.Equal(V2.AddressScheme.Ipv4, queue.Broker.Endpoints.Scheme);
            Assert.Equal($"127.0.0.1:{_port}", queue.Broker.Endpoints.Addresses.Select(address => $"{address.Host}:{address.Port}").Single());
        });
        V2.QueryRouteResponse missing = await CallAsync(
            "QueryRoute", new V2.QueryRouteRequest { Topic = new V2.Resource { Name = "Nowhere" } }, V2.QueryRouteResponse.Parser);
        Assert.Equal(V2.Code.TopicNotFound, missing.Status.Code);
    }

    public static TheoryData<string, V2.Code> IllegalMessages => new()
    {
        { "no topic", V2.Code.IllegalTopic },
        { "illegal topic", V2.Code.IllegalTopic },
        { "system topic", V2.Code.IllegalTopic },
        { "unknown topic", V2.Code.TopicNotFound },
        { "no system properties", V2.Code.IllegalMessageId },
        { "no message id", V2.Code.IllegalMessageId },
        { "separator in message id", V2.Code.IllegalMessageId },
        { "no body", V2.Code.MessageBodyEmpty },
        { "wrong digest", V2.Code.MessageCorrupted },
        { "no gzip", V2.Code.MessageCorrupted },
        { "blank tag", V2.Code.IllegalMessageTag },
        { "bar in tag", V2.Code.IllegalMessageTag },
        { "separator in key", V2.Code.IllegalMessageKey },
        { "system property", V2.Code.IllegalMessagePropertyKey },
        { "separator in property", V2.Code.IllegalMessagePropertyKey },
        { "separator in trace context", V2.Code.IllegalMessagePropertyKey },
        { "too many properties", V2.Code.MessagePropertiesTooLarge },
        { "too large a property", V2.Code.MessagePropertiesTooLarge },
        { "long group", V2.Code.IllegalMessageGroup },
        { "far away", V2.Code.IllegalDeliveryTime },
        { "before time began", V2.Code.IllegalDeliveryTime },
        { "lite", V2.Code.Unsupported },
        { "priority", V2.Code.Unsupported },
    };

    [Theory]
    [MemberData(nameof(IllegalMessages))]
    public async Task SendMessage_Illegal_SaysWhy(string what, V2.Code expected)
    {
        V2.Message message = Message("body");
        Spoil(message, what);

        V2.SendMessageResponse response = await SendAsync(message);

        Assert.True(expected == response.Status.Code, $"{what}: {response.Status}");
        Assert.NotEmpty(response.Status.Message);
        Assert.Equal(V2.Code.Ok, (await SendAsync(Message("still taken"))).Status.Code);
    }

    [Fact]
    public async Task QueryRoute_OfATopicWithFewerQueuesForWriting_HasThoseFirst()
    {
        RemotingCommand made = await _broker.Connect("admin").AskAsync(
            RequestCode.UpdateAndCreateTopic,
            new CreateTopicHeader { Topic = "Partly", ReadQueueNums = 4, WriteQueueNums = 1, Permission = 6 });
        Assert.Equal(ResponseCode.Success, made.ResponseCode);

        V2.QueryRouteResponse route = await CallAsync(
            "QueryRoute", new V2.QueryRouteRequest { Topic = new V2.Resource { Name = "Partly" } }, V2.QueryRouteResponse.Parser);

        Assert.Equal(
            [(0, V2.Permission.ReadWrite), (1, V2.Permission.Read), (2, V2.Permission.Read), (3, V2.Permission.Read)],
            route.MessageQueues.Select(queue => (queue.Id, queue.Permission)));
    }

    [Fact]
    public async Task SendMessage_Several_AreStoredInARowAndEachHasAnEntry()
    {
        V2.Message[] messages = [Message("one"), Message("two"), Message("three")];
        V2.SendMessageResponse response = await SendAsync(messages);

        Assert.Equal(V2.Code.Ok, response.Status.Code);
        Assert.Equal(messages.Select(message => message.SystemProperties.MessageId), response.Entries.Select(entry => entry.MessageId));
        long first = response.Entries[0].Offset;
        Assert.Equal([first, first + 1, first + 2], response.Entries.Select(entry => entry.Offset));
    }

    [Fact]
    public async Task SendMessage_Answered_IsCounted()
    {
        const int Sends = 10;
        await Task.WhenAll(Enumerable.Range(0, Sends).Select(i => SendAsync(Message($"message {i}"))));

        BrokerStatsData data = await _broker.Connect("admin").AskAsync<ViewBrokerStatsDataHeader, BrokerStatsData>(
            RequestCode.ViewBrokerStatsData, new ViewBrokerStatsDataHeader { StatsName = "TOPIC_PUT_NUMS", StatsKey = Topic });
        Assert.Equal(1 + Sends, data.StatsDay.Sum);
    }

    [Fact]
    public async Task SendMessage_SeveralThatUnpackToTooMuchTogether_IsRefused()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(new byte[3 * 1024 * 1024]);
        }

        V2.Message[] messages = [Message("one"), Message("two")];
        foreach (V2.Message message in messages)
        {
            message.Body = ByteString.CopyFrom(packed.ToArray());
            message.SystemProperties.BodyEncoding = V2.Encoding.Gzip;
        }

        Assert.Equal(V2.Code.MessageBodyTooLarge, (await SendAsync(messages)).Status.Code);
    }

    [Fact]
    public async Task SendMessage_OfSeveralTopicsOrOfNone_IsRefused()
    {
        V2.Message other = Message("two");
        other.Topic = new V2.Resource { Name = "Other" };
        Assert.Equal(V2.Code.MessageCorrupted, (await SendAsync(Message("one"), other)).Status.Code);
        Assert.Equal(V2.Code.MessageCorrupted, (await SendAsync()).Status.Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no handle")]
    [InlineData("0 0 0 0 0 broker-a 0 0")]
    [InlineData("0 1 60000 0 0 broker-a 0 0 0")]
    [InlineData("0 1 60000 0 0 another-broker 0 0 0")]
    [InlineData("0 1 60000 0 0 broker-a 99 0 0")]
    [InlineData("0 1 60000 0 0 broker-a 0 99999999999 0")]
    [InlineData("-1 -1 -1 -1 0 broker-a -1 -1 -1")]
    [InlineData("0 1 60000 999 0 broker-a 0 0 0")]
    [InlineData("99999999999999999999 1 60000 0 0 broker-a 0 0 0")]
    public async Task ForgedReceipt_IsRefusedWhateverItIsUsedFor(string handle)
    {
        var acks = new V2.AckMessageRequest { Group = GroupResource, Topic = TopicResource };
        acks.Entries.Add(new V2.AckMessageEntry { ReceiptHandle = handle, MessageId = "M" });
        V2.AckMessageResponse acked = await CallAsync("AckMessage", acks, V2.AckMessageResponse.Parser);
        V2.ChangeInvisibleDurationResponse changed = await CallAsync(
            "ChangeInvisibleDuration",
            new V2.ChangeInvisibleDurationRequest
            {
                Group = GroupResource,
                Topic = TopicResource,
                ReceiptHandle = handle,
                InvisibleDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)),
            },
            V2.ChangeInvisibleDurationResponse.Parser);

        Assert.Equal(V2.Code.InvalidReceiptHandle, acked.Status.Code);
        Assert.Equal(V2.Code.InvalidReceiptHandle, changed.Status.Code);
    }

    [Theory]
    [InlineData("", V2.Code.InvalidTransactionId)]
    [InlineData("not one", V2.Code.InvalidTransactionId)]
    [InlineData("FFFFFFFFFFFFFFFF0000000000000000", V2.Code.InvalidTransactionId)]
    [InlineData("7FFFFFFFFFFFFFFF7FFFFFFFFFFFFFFF", V2.Code.InternalServerError)]
    public async Task EndTransaction_Forged_IsRefused(string id, V2.Code expected)
    {
        V2.EndTransactionResponse response = await CallAsync(
            "EndTransaction",
            new V2.EndTransactionRequest
            {
                Topic = TopicResource,
                TransactionId = id,
                MessageId = "M",
                Resolution = V2.TransactionResolution.Commit,
            },
            V2.EndTransactionResponse.Parser);
        Assert.Equal(expected, response.Status.Code);
    }

    [Fact]
    public async Task PullMessage_FromAnOffset_ThenOffsets_AreKeptByTheGroup()
    {
        await RunningBroker.SendAsync(_broker.Connect("another"), Topic, 0, "second");
        var queue = new V2.MessageQueue { Topic = TopicResource, Id = 0 };
        RawGrpcClient.Answer pulled = await _client.CallAsync(
            Service + "PullMessage",
            new V2.PullMessageRequest { Group = GroupResource, MessageQueue = queue, Offset = 0, BatchSize = 10 },
            Headers());
        V2.PullMessageResponse[] answers = [.. pulled.Messages.Select(message => V2.PullMessageResponse.Parser.ParseFrom(message.Bytes))];

        Assert.Equal(V2.Code.Ok, answers[0].Status.Code);
        Assert.Equal(["made", "second"], answers[1..^1].Select(answer => answer.Message.Body.ToStringUtf8()));
        Assert.Equal(2, answers[^1].NextOffset);

        V2.GetOffsetResponse none = await CallAsync(
            "GetOffset", new V2.GetOffsetRequest { Group = GroupResource, MessageQueue = queue }, V2.GetOffsetResponse.Parser);
        Assert.Equal(V2.Code.OffsetNotFound, none.Status.Code);
        V2.UpdateOffsetResponse updated = await CallAsync(
            "UpdateOffset",
            new V2.UpdateOffsetRequest { Group = GroupResource, MessageQueue = queue, Offset = 1 },
            V2.UpdateOffsetResponse.Parser);
        Assert.Equal(V2.Code.Ok, updated.Status.Code);
        V2.GetOffsetResponse kept = await CallAsync(
            "GetOffset", new V2.GetOffsetRequest { Group = GroupResource, MessageQueue = queue }, V2.GetOffsetResponse.Parser);
        Assert.Equal(1, kept.Offset);
        foreach ((V2.QueryOffsetPolicy policy, long expected) in
            new[] { (V2.QueryOffsetPolicy.Beginning, 0L), (V2.QueryOffsetPolicy.End, 2L), (V2.QueryOffsetPolicy.Timestamp, 0L) })
        {
            V2.QueryOffsetResponse queried = await CallAsync(
                "QueryOffset",
                new V2.QueryOffsetRequest { MessageQueue = queue, QueryOffsetPolicy = policy, Timestamp = new Timestamp { Seconds = 1 } },
                V2.QueryOffsetResponse.Parser);
            Assert.Equal((V2.Code.Ok, expected), (queried.Status.Code, queried.Offset));
        }
    }

    [Theory]
    [InlineData("1S", 30, V2.Code.BadRequest)]
    [InlineData("60S", 1, V2.Code.IllegalInvisibleTime)]
    [InlineData("60S", 100_000, V2.Code.IllegalInvisibleTime)]
    public async Task ReceiveMessage_WithTooLittleTime_IsRefused(string deadline, int invisibleSeconds, V2.Code expected)
    {
        RawGrpcClient.Answer answer = await _client.CallAsync(
            Service + "ReceiveMessage", Receive(invisibleSeconds), [.. Headers(), ("grpc-timeout", deadline)]);
        Assert.Equal(
            expected, answer.Messages.Select(message => V2.ReceiveMessageResponse.Parser.ParseFrom(message.Bytes)).First().Status.Code);
    }

    [Fact]
    public async Task ReceiveMessage_OfOneWhoHasGone_TakesNoMessageAway()
    {
        // Settles where the new group begins.
        await _client.CallAsync(Service + "ReceiveMessage", Receive(300), Headers());
        using (var leaving = new CancellationTokenSource())
        {
            Task<HttpResponseMessage> waiting = _client.OpenAsync(
                Service + "ReceiveMessage", new ByteArrayContent(RawGrpcClient.Frame(Receive(300))), Headers(), leaving.Token);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        Assert.Equal(V2.Code.Ok, (await SendAsync(Message("for who is there"))).Status.Code);

        while (true)
        {
            RawGrpcClient.Answer answer = await _client.CallAsync(Service + "ReceiveMessage", Receive(300), Headers());
            V2.Message? message = answer.Messages
                .Select(each => V2.ReceiveMessageResponse.Parser.ParseFrom(each.Bytes).Message)
                .FirstOrDefault(each => each is not null);
            if (message is not null)
            {
                Assert.Equal("for who is there", message.Body.ToStringUtf8());
                return;
            }
        }
    }

    [Fact]
    public async Task Telemetry_TellsWhatToWorkWith_AndToReconnectWhenTheBrokerStops()
    {
        var body = new OpenContent();
        await body.WriteAsync(RawGrpcClient.Frame(new V2.TelemetryCommand
        {
            Settings = new V2.Settings { ClientType = V2.ClientType.Producer, Publishing = new V2.Publishing { Topics = { TopicResource } } },
        }));
        using HttpResponseMessage response = await _client.OpenAsync(Service + "Telemetry", body, Headers());
        await using Stream commands = await response.Content.ReadAsStreamAsync();
        V2.Settings settings = (await ReadAsync(commands)).Settings;
        Assert.Equal(4 * 1024 * 1024, settings.Publishing.MaxBodySize);
        Assert.NotNull(settings.BackoffPolicy.ExponentialBackoff);
        Assert.Equal(
            V2.Code.Ok,
            (await CallAsync("Heartbeat", new V2.HeartbeatRequest { ClientType = V2.ClientType.Producer }, V2.HeartbeatResponse.Parser)).Status.Code);

        Task stopping = _broker.StopAllAsync();

        Assert.Equal(V2.TelemetryCommand.CommandOneofCase.ReconnectEndpointsCommand, (await ReadAsync(commands)).CommandCase);
        body.End();
        Assert.Equal(0, await commands.ReadAsync(new byte[1]));
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
        await stopping.WaitAsync(RawGrpcClient.Deadline);
        await _broker.StartAgainAsync();
    }

    [Fact]
    public async Task Telemetry_WithSettingsOfNothing_EndsWithAReason()
    {
        RawGrpcClient.Answer answer = await _client.CallAsync(
            Service + "Telemetry", new V2.TelemetryCommand { Settings = new V2.Settings() }, Headers());
        Assert.Equal(GrpcStatusCode.InvalidArgument, answer.Status);
        V2.HeartbeatResponse unknown = await CallAsync("Heartbeat", new V2.HeartbeatRequest(), V2.HeartbeatResponse.Parser);
        Assert.Equal(V2.Code.UnrecognizedClientType, unknown.Status.Code);
    }

    [Theory]
    [InlineData("long id")]
    [InlineData("many topics")]
    [InlineData("many subscriptions")]
    public async Task Telemetry_BeyondALimit_EndsWithAReasonAndNothingIsKept(string what)
    {
        (string Name, string Value)[] headers = what == "long id" ? [("x-mq-client-id", new string('c', 1025))] : Headers();
        var settings = new V2.Settings { ClientType = V2.ClientType.Producer, Publishing = new V2.Publishing() };
        V2.Resource[] topics = [.. Enumerable.Range(0, 4097).Select(i => new V2.Resource { Name = $"T{i}" })];
        switch (what)
        {
            case "many topics":
                settings.Publishing.Topics.AddRange(topics);
                break;
            case "many subscriptions":
                settings.ClientType = V2.ClientType.SimpleConsumer;
                settings.Subscription = new V2.Subscription { Group = GroupResource };
                settings.Subscription.Subscriptions.AddRange(topics.Select(topic => new V2.SubscriptionEntry
                {
                    Topic = topic,
                    Expression = new V2.FilterExpression { Type = V2.FilterType.Tag, Expression = "*" },
                }));
                break;
        }

        RawGrpcClient.Answer answer = await _client.CallAsync(Service + "Telemetry", new V2.TelemetryCommand { Settings = settings }, headers);

        Assert.NotEqual(GrpcStatusCode.Ok, answer.Status);
        RawGrpcClient.Answer unknown = await _client.CallAsync(Service + "Heartbeat", new V2.HeartbeatRequest(), headers);
        Assert.Equal(V2.Code.UnrecognizedClientType, unknown.Only(V2.HeartbeatResponse.Parser).Status.Code);
    }

    private static (string Name, string Value)[] Headers() => [("x-mq-client-id", "test-client"), ("x-mq-language", "DOTNET")];

    private static V2.ReceiveMessageRequest Receive(int invisibleSeconds) => new()
    {
        Group = GroupResource,
        MessageQueue = new V2.MessageQueue { Topic = TopicResource },
        FilterExpression = new V2.FilterExpression { Type = V2.FilterType.Tag, Expression = "*" },
        BatchSize = 1,
        LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
        InvisibleDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(invisibleSeconds)),
    };

    private static V2.Message Message(string body) => new()
    {
        Topic = TopicResource,
        Body = ByteString.CopyFromUtf8(body),
        SystemProperties = new V2.SystemProperties { MessageId = Guid.NewGuid().ToString("N"), MessageType = V2.MessageType.Normal },
    };

    private static void Spoil(V2.Message message, string what)
    {
        V2.SystemProperties system = message.SystemProperties;
        switch (what)
        {
            case "no topic": message.Topic = null; break;
            case "illegal topic": message.Topic = new V2.Resource { Name = "a b" }; break;
            case "system topic": message.Topic = new V2.Resource { Name = "RMQ_SYS_TRANS_HALF_TOPIC" }; break;
            case "unknown topic": message.Topic = new V2.Resource { Name = "Nowhere" }; break;
            case "no system properties": message.SystemProperties = null; break;
            case "no message id": system.MessageId = ""; break;
            case "separator in message id": system.MessageId = "M\u0002TRAN_MSG\u0001true"; break;
            case "no body": message.Body = ByteString.Empty; break;
            case "wrong digest": system.BodyDigest = new V2.Digest { Type = V2.DigestType.Crc32, Checksum = "1" }; break;
            case "no gzip": system.BodyEncoding = V2.Encoding.Gzip; break;
            case "blank tag": system.Tag = " "; break;
            case "bar in tag": system.Tag = "a||b"; break;
            case "separator in key": system.Keys.Add("a\u0001b"); break;
            case "system property": message.UserProperties["DELAY"] = "3"; break;
            case "separator in property": message.UserProperties["a"] = "b\u0002TRAN_MSG\u0001true"; break;
            case "separator in trace context": system.TraceContext = "\u0002"; break;
            case "too many properties": message.UserProperties.Add(Enumerable.Range(0, 129).ToDictionary(i => $"p{i}", _ => "v")); break;
            case "too large a property": message.UserProperties["a"] = new string('x', 16 * 1024); break;
            case "long group": system.MessageGroup = new string('g', 64); break;
            case "far away": system.DeliveryTimestamp = new Timestamp { Seconds = long.MaxValue }; break;
            case "before time began": system.DeliveryTimestamp = new Timestamp { Seconds = long.MinValue }; break;
            case "lite": system.LiteTopic = "lite"; break;
            case "priority": system.Priority = 1; break;
        }
    }

    private Task<V2.SendMessageResponse> SendAsync(params V2.Message[] messages)
    {
        var request = new V2.SendMessageRequest();
        request.Messages.AddRange(messages);
        return CallAsync("SendMessage", request, V2.SendMessageResponse.Parser);
    }

    private async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser)
        where T : IMessage<T>
    {
        RawGrpcClient.Answer answer = await _client.CallAsync(Service + method, request, Headers());
        Assert.True(answer.Status == GrpcStatusCode.Ok, $"{method}: {answer.Status} {answer.Message}");
        return answer.Only(parser);
    }

    private static async Task<V2.TelemetryCommand> ReadAsync(Stream commands)
    {
        byte[] prefix = new byte[MessagePrefix.Bytes];
        await commands.ReadExactlyAsync(prefix);
        Assert.True(MessagePrefix.TryRead(new(prefix), int.MaxValue, out MessagePrefix read));
        byte[] command = new byte[read.Length];
        await commands.ReadExactlyAsync(command);
        return V2.TelemetryCommand.Parser.ParseFrom(command);
    }
}
