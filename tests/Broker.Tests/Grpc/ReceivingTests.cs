using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using GrayMQ.Broker.Grpc.Sending;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Testing;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc;

/// <summary>What gRPC clients are given, for how long it is theirs, and what they are asked, at a broker whose clock the test moves.</summary>
public sealed class ReceivingTests : IAsyncLifetime
{
    private const string Topic = "T";
    private const string Group = "GID_receiving";
    private static readonly TimeSpan Invisible = TimeSpan.FromHours(1);

    private readonly GrpcPeers _clients = new();
    private LeavingBroker _broker = null!;
    private Peer _remoting = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await LeavingBroker.StartAsync(("grpcPort", _clients.Port));
        _remoting = _broker.Broker.Connect("remoting");
        foreach (string topic in new[] { Topic, "ns%T" })
        {
            Assert.Equal(ResponseCode.Success, (await _remoting.CreateTopicAsync(topic, 2)).ResponseCode);
        }

        // Settles where the groups begin.
        await _remoting.PopAsync(Pops.Header(Topic, initMode: 1, group: Group));
        await _remoting.PopAsync(Pops.Header("ns%T", initMode: 1, group: "ns%" + Group));
    }

    public async ValueTask DisposeAsync()
    {
        await _clients.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task Message_WithEverythingThatItCanHave_IsReceivedAsItWasSent()
    {
        GrpcPeer consumer = await ConsumerAsync();
        V2.Message sent = GrpcPeer.MessageOf(Topic, "the body, in UTF-8: 灰度");
        sent.UserProperties["color"] = "灰";
        sent.UserProperties[new string('n', 300)] = "of a long name";
        sent.SystemProperties.Tag = "TagA";
        sent.SystemProperties.Keys.AddRange(["key1", "key2"]);
        sent.SystemProperties.MessageGroup = "order-4711";
        sent.SystemProperties.MessageType = V2.MessageType.Fifo;
        sent.SystemProperties.TraceContext = "00-trace";
        sent.SystemProperties.BornHost = "producer.example";
        sent.SystemProperties.BornTimestamp = new Timestamp { Seconds = 1_700_000_000, Nanos = 5_000_000 };
        await SendAsync(sent);

        V2.Message received = await ReceiveOneAsync(consumer);

        Assert.Equal((Topic, ""), (received.Topic.Name, received.Topic.ResourceNamespace));
        Assert.Equal(sent.Body, received.Body);
        Assert.Equal(sent.UserProperties, received.UserProperties);
        V2.SystemProperties system = received.SystemProperties;
        Assert.Equal(
            ("TagA", "order-4711", "00-trace", "producer.example", sent.SystemProperties.MessageId),
            (system.Tag, system.MessageGroup, system.TraceContext, system.BornHost, system.MessageId));
        Assert.Equal(["key1", "key2"], system.Keys);
        Assert.Equal((V2.MessageType.Fifo, V2.Encoding.Identity, 1), (system.MessageType, system.BodyEncoding, system.DeliveryAttempt));
        Assert.Equal(sent.SystemProperties.BornTimestamp, system.BornTimestamp);
        Assert.Equal(_broker.Time.NowMs, (system.StoreTimestamp.Seconds * 1000) + (system.StoreTimestamp.Nanos / 1_000_000));
        Assert.StartsWith("127.0.0.1:", system.StoreHost, StringComparison.Ordinal);
        Assert.Equal(Duration.FromTimeSpan(Invisible), system.InvisibleDuration);
        Assert.Equal((0L, true), (system.QueueOffset, system.QueueId is 0 or 1));
        Assert.True(BodyDigest.Matches(system.BodyDigest, received.Body.Span));
    }

    [Fact]
    public async Task Message_WithPropertiesThatAreNoText_IsReceivedAllTheSame()
    {
        GrpcPeer consumer = await ConsumerAsync();
        string[] names = [MessageProperty.DlqOriginTopic, MessageProperty.DlqOriginMessageId, MessageProperty.Tags, MessageProperty.UniqueKey, "color"];
        byte[] properties = [.. names.SelectMany(name => (byte[])[.. System.Text.Encoding.UTF8.GetBytes(name), 1, 0xff, (byte)'x', 2])];
        RemotingCommand reply = await _remoting.SendAsync(Sends.Header(Topic) with { Properties = properties });
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);

        V2.Message received = await ReceiveOneAsync(consumer);

        const string Text = "\ufffdx";
        V2.SystemProperties system = received.SystemProperties;
        Assert.Equal(
            (Text, Text, Text, Text, Text),
            (system.DeadLetterQueue.Topic, system.DeadLetterQueue.MessageId, system.Tag, system.MessageId, received.UserProperties["color"]));
    }

    [Fact]
    public void Digest_OfAnyBody_IsInTheOneFormThatALibraryUnderstands()
    {
        Span<byte> checksum = stackalloc byte[BodyDigest.MaxCharacters];
        var types = new HashSet<(LanguageCode, V2.DigestType)>();
        for (int i = 0; i < 500; i++)
        {
            byte[] body = BitConverter.GetBytes(i);
            foreach (LanguageCode language in new[] { LanguageCode.Java, LanguageCode.Http, LanguageCode.Cpp })
            {
                V2.DigestType type = BodyDigest.Write(body, language, checksum, out int length);
                string text = System.Text.Encoding.ASCII.GetString(checksum[..length]);
                Assert.True(BodyDigest.Matches(new V2.Digest { Type = type, Checksum = text }, body), $"{language} {type} {text}");

                // Java and C# leave leading zeros out, Python has them.
                Assert.True(type == V2.DigestType.Md5 || text == Crc32.Compute(body).ToString("X", CultureInfo.InvariantCulture));
                Assert.Equal(type == V2.DigestType.Md5 ? 32 : 8, length);
                types.Add((language, type));
            }
        }

        Assert.Equivalent(
            new[]
            {
                (LanguageCode.Java, V2.DigestType.Crc32), (LanguageCode.Java, V2.DigestType.Md5),
                (LanguageCode.Cpp, V2.DigestType.Md5), (LanguageCode.Http, V2.DigestType.Md5),
            },
            types,
            strict: true);
    }

    [Fact]
    public async Task AutoRenew_AConsumerThatIsLongAtWork_KeepsTheMessageUntilItAcks()
    {
        GrpcPeer consumer = await ConsumerAsync();
        await SendAsync(GrpcPeer.MessageOf(Topic, "long work"));
        V2.Message message = Assert.Single((await consumer.ReceiveAsync(Group, Topic)).Messages);

        // Ten times what it is invisible for.
        for (int i = 0; i < 120; i++)
        {
            _broker.Time.Advance(TimeSpan.FromSeconds(5));
            await consumer.HeartbeatAsync(Group);
        }

        V2.AckMessageResponse acked = await consumer.AckAsync(Group, Topic, message);
        Assert.True(acked.Status.Code == V2.Code.Ok, acked.ToString());
        Assert.Equal(0, (await _broker.ShowAsync()).PopsInFlight);
    }

    [Fact]
    public async Task AutoRenew_TheBrokerIsRestarted_TheReceiptsGoOnToCount()
    {
        GrpcPeer consumer = await ConsumerAsync();
        var messages = new List<V2.Message>();
        for (int i = 0; i < 4; i++)
        {
            await SendAsync(GrpcPeer.MessageOf(Topic, $"long work {i}"));
        }

        while (messages.Count < 4)
        {
            messages.AddRange((await consumer.ReceiveAsync(Group, Topic)).Messages);
        }

        // Several times what they are invisible for.
        for (int i = 0; i < 60; i++)
        {
            _broker.Time.Advance(TimeSpan.FromSeconds(5));
            await consumer.HeartbeatAsync(Group);
        }

        V2.AckMessageResponse acked = await consumer.AckAsync(Group, Topic, messages[0]);
        Assert.True(acked.Status.Code == V2.Code.Ok, acked.ToString());
        consumer.EndStreams();
        await _broker.Broker.StopServingAsync();
        await _broker.Broker.StartAgainAsync();

        GrpcPeer again = await ConsumerAsync(consumer.Id);
        acked = await again.AckAsync(Group, Topic, [.. messages.Skip(1)]);
        Assert.True(acked.Status.Code == V2.Code.Ok, acked.ToString());
        Peer asking = _broker.Broker.Connect("asking");
        Assert.Equal(0, (await asking.AskAsync<NoHeader, LifecycleReport>(RequestCode.ShowLifecycle, default)).PopsInFlight);
    }

    [Fact]
    public async Task AutoRenew_OfAClientThatToldNoSettings_IsRefusedAndTakesNothing()
    {
        await SendAsync(GrpcPeer.MessageOf(Topic, "for who is known"));
        GrpcPeer stranger = _clients.Connect("stranger");

        Assert.Equal(V2.Code.UnrecognizedClientType, (await stranger.ReceiveAsync(Group, Topic)).Status);

        Assert.Equal(0, (await _broker.ShowAsync()).PopsInFlight);
    }

    [Fact]
    public async Task AutoRenew_TheConsumerEnds_TheMessageIsAnothersSoon()
    {
        GrpcPeer consumer = await ConsumerAsync();
        await SendAsync(GrpcPeer.MessageOf(Topic, "given up"));
        Assert.Single((await consumer.ReceiveAsync(Group, Topic)).Messages);

        await consumer.TerminateAsync();

        V2.Message again = await ReceiveAgainAsync(await ConsumerAsync("another"), TimeSpan.FromSeconds(20));
        Assert.Equal(("given up", 2), (again.Body.ToStringUtf8(), again.SystemProperties.DeliveryAttempt));
    }

    [Fact]
    public async Task Ack_SomeOfSeveralAreNotInHand_SaysOfEach()
    {
        GrpcPeer consumer = await ConsumerAsync();
        var messages = new List<V2.Message>();
        for (int i = 0; i < 3; i++)
        {
            await SendAsync(GrpcPeer.MessageOf(Topic, $"message {i}"));
            messages.Add(await ReceiveOneAsync(consumer));
        }

        Assert.Equal(V2.Code.Ok, (await consumer.AckAsync(Group, Topic, messages[1])).Status.Code);
        V2.Message forged = messages[2].Clone();
        forged.SystemProperties.ReceiptHandle = "forged";
        V2.AckMessageResponse acked = await consumer.AckAsync(Group, Topic, [.. messages, forged]);

        Assert.Equal(V2.Code.MultipleResults, acked.Status.Code);
        Assert.Equal(
            [V2.Code.Ok, V2.Code.InvalidReceiptHandle, V2.Code.Ok, V2.Code.InvalidReceiptHandle],
            acked.Entries.Select(entry => entry.Status.Code));
        Assert.Equal(0, (await _broker.ShowAsync()).PopsInFlight);
    }

    [Fact]
    public async Task Namespace_OfTheClient_SeparatesTopicsAndGroups()
    {
        GrpcPeer inside = _clients.Connect("inside", "ns");
        await inside.ConsumeAsync(Group, V2.ClientType.SimpleConsumer, (Topic, "*"));
        GrpcPeer outside = await ConsumerAsync("outside");
        GrpcPeer producer = _clients.Connect("producer", "ns");
        await producer.ProduceAsync(Topic);
        await producer.SendAsync(Topic, "inside");
        await SendAsync(GrpcPeer.MessageOf(Topic, "outside"));

        V2.Message of = await ReceiveOneAsync(inside);

        Assert.Equal(("inside", "ns", Topic), (of.Body.ToStringUtf8(), of.Topic.ResourceNamespace, of.Topic.Name));
        Assert.Equal("outside", (await ReceiveOneAsync(outside)).Body.ToStringUtf8());
        Assert.Equal(V2.Code.Ok, (await inside.AckAsync(Group, Topic, of)).Status.Code);

        // A remoting client knows them by their full names.
        await producer.SendAsync(Topic, "for remoting");
        Popped popped = Assert.Single(await _remoting.TakeAsync(Pops.Header("ns%T", group: "ns%" + Group)));
        Assert.Equal("for remoting", popped.Body);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(253_402_300_799)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public async Task Send_ByAClockFarOff_IsStoredAndReceived(long seconds)
    {
        GrpcPeer consumer = await ConsumerAsync();
        V2.Message message = GrpcPeer.MessageOf(Topic, "when?");
        message.SystemProperties.BornTimestamp = new Timestamp { Seconds = seconds, Nanos = int.MaxValue };
        await SendAsync(message);

        V2.Message received = await ReceiveOneAsync(consumer);

        Assert.Equal("when?", received.Body.ToStringUtf8());
        Assert.InRange(received.SystemProperties.BornTimestamp.Seconds, 0, 253_402_300_799);
    }

    [Fact]
    public async Task Routes_OfATopicAtSeveralBrokers_NameTheEndpointThatEachRegistered()
    {
        _broker.NameServer.Elsewhere[Topic] = 6;
        _broker.NameServer.GrpcElsewhere = "127.0.0.2:18081";
        GrpcPeer client = _clients.Connect("client");
        V2.QueryRouteResponse route = await client.CallAsync(
            "QueryRoute", new V2.QueryRouteRequest { Topic = new V2.Resource { Name = Topic } }, V2.QueryRouteResponse.Parser);

        Assert.Equal(4, route.MessageQueues.Count);
        Assert.All(route.MessageQueues, queue => Assert.Equal(
            ("broker-b", "127.0.0.2", 18081),
            (queue.Broker.Name, queue.Broker.Endpoints.Addresses.Single().Host, queue.Broker.Endpoints.Addresses.Single().Port)));

        // RocketMQ's name servers do not pass it on: then it is the port that this broker has.
        _broker.NameServer.GrpcElsewhere = null;
        _broker.Time.Advance(TimeSpan.FromSeconds(6));
        route = await client.CallAsync(
            "QueryRoute", new V2.QueryRouteRequest { Topic = new V2.Resource { Name = Topic } }, V2.QueryRouteResponse.Parser);
        Assert.All(route.MessageQueues, queue => Assert.Equal(_clients.Port, $"{queue.Broker.Endpoints.Addresses.Single().Port}"));
    }

    [Theory]
    [InlineData(V2.Code.Ok, ConsumeOutcome.Success)]
    [InlineData(V2.Code.FailedToConsumeMessage, ConsumeOutcome.Later)]
    [InlineData(V2.Code.MessageCorrupted, ConsumeOutcome.ReturnNull)]
    public async Task VerifyMessage_AskedByAnAdministrator_IsAnsweredByTheClient(V2.Code reported, ConsumeOutcome expected)
    {
        GrpcPeer consumer = await ConsumerAsync();
        await SendAsync(GrpcPeer.MessageOf(Topic, "verify me"));
        string stored = MessageId.Format(MessageHost.FromV4(0x7F000001, 10911), 0);

        Task<ConsumeMessageDirectlyResult> asking = _remoting.AskAsync<ConsumeMessageDirectlyHeader, ConsumeMessageDirectlyResult>(
            RequestCode.ConsumeMessageDirectly,
            new ConsumeMessageDirectlyHeader { ConsumerGroup = Group, ClientId = consumer.Id, MessageId = stored, Topic = Topic });
        V2.VerifyMessageCommand command = (await consumer.NextCommandAsync()).VerifyMessageCommand;
        await consumer.ReportAsync(new V2.TelemetryCommand
        {
            Status = new V2.Status { Code = reported },
            VerifyMessageResult = new V2.VerifyMessageResult { Nonce = command.Nonce },
        });

        Assert.Equal("verify me", command.Message.Body.ToStringUtf8());
        Assert.Equal(expected, (await asking).ConsumeResult);
    }

    [Fact]
    public async Task ThreadStack_AskedByAnAdministrator_IsTheClients()
    {
        GrpcPeer consumer = await ConsumerAsync();

        Task<ConsumerRunningInfo> asking = _remoting.AskAsync<GetConsumerRunningInfoHeader, ConsumerRunningInfo>(
            RequestCode.GetConsumerRunningInfo,
            new GetConsumerRunningInfoHeader { ConsumerGroup = Group, ClientId = consumer.Id, StackEnable = true });
        string nonce = (await consumer.NextCommandAsync()).PrintThreadStackTraceCommand.Nonce;
        await consumer.ReportAsync(new V2.TelemetryCommand
        {
            ThreadStackTrace = new V2.ThreadStackTrace { Nonce = "another", ThreadStackTrace_ = "nobody asked" },
        });
        await consumer.ReportAsync(new V2.TelemetryCommand
        {
            Status = new V2.Status { Code = V2.Code.Ok },
            ThreadStackTrace = new V2.ThreadStackTrace { Nonce = nonce, ThreadStackTrace_ = "at main" },
        });

        Assert.Equal("at main", (await asking).Jstack);
    }

    [Fact]
    public async Task Receivers_ThatNeverRead_AreCutOffAndTheirMessagesGivenToOthers()
    {
        const int Messages = 96;
        string body = new('x', 256 * 1024);
        GrpcPeer silent = await ConsumerAsync("silent");
        GrpcPeer consumer = await ConsumerAsync();
        GrpcPeer producer = _clients.Connect("producer");
        await producer.ProduceAsync(Topic);
        for (int i = 0; i < Messages; i++)
        {
            await producer.SendAsync(Topic, body);
        }

        // Each is one message, of which HTTP/2's window lets in a part.
        int calls = (await _broker.ShowAsync()).GrpcCalls;
        Task<HttpResponseMessage>[] unread = [.. Enumerable.Range(0, 4).Select(_ => silent.OpenReceiveAsync(Group, Topic, Invisible))];
        await Task.WhenAll(unread);
        Assert.InRange((await _broker.ShowAsync()).PopsInFlight, 1, Messages);
        await producer.SendAsync(Topic, "for who reads");

        // Those who do not read are given up on, before anybody has begun to read against the same clock; what they had becomes visible.
        await Eventually.TrueAsync(
            async () =>
            {
                _broker.Time.Advance(TimeSpan.FromSeconds(1));
                await consumer.HeartbeatAsync(Group);
                return (await _broker.ShowAsync()).GrpcCalls == calls;
            },
            "those who do not read are cut off");
        _broker.Time.Advance(TimeSpan.FromSeconds(2));

        var received = new List<string>();
        using var limit = new CancellationTokenSource(RawGrpcClient.Deadline);
        while (received.Count < Messages + 1)
        {
            limit.Token.ThrowIfCancellationRequested();
            (_, IReadOnlyList<V2.Message> messages) =
                await consumer.ReceiveAsync(Group, Topic, max: 4, invisible: TimeSpan.FromHours(10), cancel: limit.Token);
            received.AddRange(messages.Select(message => message.Body.ToStringUtf8()));
        }

        Assert.Equal(Messages, received.Count(each => each == body));
        Assert.Single(received, each => each == "for who reads");
        foreach (Task<HttpResponseMessage> each in unread)
        {
            (await each).Dispose();
        }
    }

    private async Task<GrpcPeer> ConsumerAsync(string id = "consumer")
    {
        GrpcPeer consumer = _clients.Connect(id);
        await consumer.ConsumeAsync(Group, V2.ClientType.SimpleConsumer, (Topic, "*"));
        return consumer;
    }

    private async Task SendAsync(V2.Message message)
    {
        GrpcPeer producer = _clients.Connect("sender");
        V2.SendMessageResponse response = await producer.CallAsync(
            "SendMessage", new V2.SendMessageRequest { Messages = { message } }, V2.SendMessageResponse.Parser);
        Assert.True(response.Status.Code == V2.Code.Ok, response.Status.ToString());
    }

    private static async Task<V2.Message> ReceiveOneAsync(GrpcPeer consumer) =>
        Assert.Single((await consumer.ReceiveAsync(Group, Topic, max: 1, invisible: Invisible)).Messages);

    // Moves the clock by at most so much until a message comes again.
    private async Task<V2.Message> ReceiveAgainAsync(GrpcPeer consumer, TimeSpan most)
    {
        Task<(V2.Code? Status, IReadOnlyList<V2.Message> Messages)> receiving =
            consumer.ReceiveAsync(Group, Topic, max: 1, pollSeconds: 20, invisible: Invisible);
        var step = TimeSpan.FromMilliseconds(200);
        for (TimeSpan gone = TimeSpan.Zero; !receiving.IsCompleted && gone < most; gone += step)
        {
            _broker.Time.Advance(step);
            await _broker.ShowAsync();
        }

        return Assert.Single((await receiving).Messages);
    }
}
