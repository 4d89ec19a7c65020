using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Broker.Sending;

/// <summary>What becomes of a message that is taken: its record and the answer.</summary>
public sealed class SendTests
{
    [Fact]
    public async Task Send_EveryCodeAndOneWay_StoresOneBehindTheOther()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");

        RemotingCommand oldForm = await peer.AskAsync(
            RequestCode.SendMessage, new LongSendHeader(Sends.Header("Orders")), "old"u8.ToArray());
        Assert.Equal(ResponseCode.Success, oldForm.ResponseCode);
        Assert.Equal(0, oldForm.Fields.GetInt64("queueOffset"u8));
        Assert.Equal(1, (await peer.StoreAsync("Orders", "new")).Fields.GetInt64("queueOffset"u8));
        RemotingCommand batch = await peer.AskAsync(
            RequestCode.SendBatchMessage, Sends.Header("Orders"), Batches.Body(("b1", ""), ("b2", "")));
        Assert.Equal(ResponseCode.Success, batch.ResponseCode);
        Assert.Equal(2, batch.Fields.GetInt64("queueOffset"u8));
        await peer.TellAsync(RequestCode.SendMessageV2, Sends.Header("Orders"), "told"u8.ToArray());
        await peer.TellAsync(RequestCode.SendMessage, new LongSendHeader(Sends.Header("Orders")), "told too"u8.ToArray());

        await peer.DispatchedAsync("Orders", 6);
        Assert.Equal(
            ["old", "new", "b1", "b2", "told", "told too"], Pulls.Bodies(await peer.PullAsync(Pulls.Header("Orders", 0))));
    }

    [Fact]
    public async Task Send_OnTheOldClientsPort_IsTheSame()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();

        Peer old = broker.Connect("old", endPoint: 1);
        await old.StoreAsync("Orders", "hello");

        Assert.Equal("hello"u8.ToArray(), (await broker.Connect("new").ReadAsync("Orders", 0)).Body.ToArray());
    }

    [Fact]
    public async Task Send_Answer_SaysWhereTheMessageIs()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("regionId", "Mars"), ("traceOn", "false"));
        Peer peer = broker.Connect("p");
        string properties = Sends.Properties(("UNIQ_KEY", "KEY1"));

        RemotingCommand reply = await peer.SendAsync(Sends.Header("Orders", queueId: 1, properties));

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Null(reply.Remark);
        ReceivedMessage message = await peer.ReadAsync("Orders", 0, queueId: 1);
        Assert.True(MessageId.TryParse(reply.Fields.GetString("msgId"u8), out MessageHost host, out long physicalOffset));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 10911), host.ToEndPoint());
        Assert.Equal(message.PhysicalOffset, physicalOffset);
        Assert.Equal(message.StoreHost, host);
        Assert.Equal(1, reply.Fields.GetInt32("queueId"u8));
        Assert.Equal("KEY1", reply.Fields.GetString("transactionId"u8));
        Assert.Equal("Mars", reply.Fields.GetString("MSG_REGION"u8));
        Assert.Equal("false", reply.Fields.GetString("TRACE_ON"u8));
        Assert.Equal("Mars", message.Properties["MSG_REGION"]);
        Assert.Equal("false", message.Properties["TRACE_ON"]);

        RemotingCommand refused = await peer.SendAsync(Sends.Header("Orders", queueId: 99));
        Assert.Equal("Mars", refused.Fields.GetString("MSG_REGION"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("UNIQ_KEY\u0001\u0002")]
    public async Task Send_WithoutUniqueKey_GetsOneThatTheAnswerNames(string properties)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");

        string first = (await peer.SendAsync(Sends.Header("Orders", properties: properties))).Fields.GetString("transactionId"u8);
        string second = (await peer.SendAsync(Sends.Header("Orders", properties: properties))).Fields.GetString("transactionId"u8);

        Assert.NotEqual(first, second);
        Assert.Equal(first, (await peer.ReadAsync("Orders", 0)).Properties["UNIQ_KEY"]);
        Assert.Equal(second, (await peer.ReadAsync("Orders", 1)).Properties["UNIQ_KEY"]);
    }

    [Theory]
    [InlineData("KEYS\u0001k\u0002TAGS\u0001t\u0002")]
    [InlineData("KEYS\u0001k\u0002TAGS\u0001t")]
    [InlineData("POP_CK\u0001forged\u0002KEYS\u0001k\u0002CLUSTER\u0001Other\u0002TAGS\u0001t\u0002MSG_REGION\u0001x\u0002TRACE_ON\u0001x")]
    public async Task Send_Properties_AreKeptButForTheBrokersOwn(string properties)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");

        Assert.Equal(ResponseCode.Success, (await peer.SendAsync(Sends.Header("Orders", properties: properties))).ResponseCode);

        IReadOnlyDictionary<string, string> stored = (await peer.ReadAsync("Orders", 0)).Properties;
        Assert.Equal(["CLUSTER", "KEYS", "MSG_REGION", "TAGS", "TRACE_ON", "UNIQ_KEY"], stored.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("k", "t", RunningBroker.Cluster), (stored["KEYS"], stored["TAGS"], stored["CLUSTER"]));
    }

    [Fact]
    public async Task Send_FieldsOfTheRecord_AreTheProducers()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");
        byte[] compressed = [0x78, 0x9c, 1, 2, 3];
        const int Zlib = MessageSysFlag.Compressed | (3 << 8);

        // The bits of IPv6 addresses are the broker's: the peer's would make the record unreadable.
        await peer.AskAsync(
            RequestCode.SendMessageV2,
            Sends.Header("Orders") with
            {
                Flag = 42,
                SysFlag = Zlib | MessageSysFlag.BornHostV6 | MessageSysFlag.StoreHostV6,
                ReconsumeTimes = 3,
            },
            compressed);
        await peer.DispatchedAsync("Orders", 1);
        RemotingCommand reply = await peer.PullAsync(Pulls.Header("Orders", 0));

        byte[] record = System.Buffers.BuffersExtensions.ToArray(reply.Body);
        Assert.True(StoredMessage.TryRead(record, out StoredMessage message, out string? error), error);
        Assert.Equal(compressed, message.Body.ToArray());
        Assert.Equal(Zlib, message.SysFlag);
        Assert.Equal(42, message.Flag);
        Assert.Equal(3, message.ReconsumeTimes);
        Assert.Equal(1_700_000_000_000, message.BornTimestampMs);
        Assert.Equal(IPAddress.Loopback, message.BornHost.ToAddress());
    }

    [Fact]
    public async Task Send_OverIPv6_KeepsThePeersAddress()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6 && HasIPv6Loopback(), "there is no ::1 here");
        await using RunningBroker broker = await RunningBroker.StartAsync(("bindAddress", "::1"), ("brokerIP1", "::1"));
        Peer peer = broker.Connect("p");

        RemotingCommand reply = await peer.StoreAsync("Orders", "hello");

        ReceivedMessage message = await peer.ReadAsync("Orders", 0);
        Assert.Equal(IPAddress.IPv6Loopback, message.BornHost.ToAddress());
        Assert.Equal("hello"u8.ToArray(), message.Body.ToArray());
        string id = reply.Fields.GetString("msgId"u8);
        Assert.Equal(MessageId.V6Digits, id.Length);
        Assert.True(MessageId.TryParse(id, out MessageHost host, out long physicalOffset));
        Assert.Equal((IPAddress.IPv6Loopback, message.PhysicalOffset), (host.ToAddress(), physicalOffset));
    }

    [Theory]
    [InlineData("false")]
    [InlineData("true")]
    public async Task Send_WithSyncFlush_IsAnsweredWhetherItWaitsOrNot(string wait)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("flushDiskType", "SYNC_FLUSH"));
        Peer peer = broker.Connect("p");

        RemotingCommand reply = await peer.SendAsync(Sends.Header("Orders", properties: Sends.Properties(("WAIT", wait))));

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Equal("hello"u8.ToArray(), (await peer.ReadAsync("Orders", 0)).Body.ToArray());
    }

    [Fact]
    public async Task Send_DiskThatHangs_HoldsUpThoseWhoWaitForIt()
    {
        using var disk = new ScarceDisk();
        await using RunningBroker broker = await RunningBroker.StartAsync(disk, ("flushDiskType", "SYNC_FLUSH"), ("syncFlushTimeout", "300"));
        Peer peer = broker.Connect("p");
        await peer.StoreAsync("Orders", "first");

        disk.HangFlushes();
        RemotingCommand unwaited = await peer.SendAsync(
            Sends.Header("Orders", properties: Sends.Properties(("UNIQ_KEY", "unwaited"), ("WAIT", "false"))));

        // Whoever is answered has a message that outlives the broker, if not the machine.
        Assert.Contains("unwaited", await LogTextAsync(broker), StringComparison.Ordinal);
        RemotingCommand waited = await peer.SendAsync(Sends.Header("Orders", properties: Sends.Properties(("UNIQ_KEY", "waited for"))));
        Assert.Contains("waited for", await LogTextAsync(broker), StringComparison.Ordinal);
        disk.ResumeFlushes();

        Assert.Equal(ResponseCode.Success, unwaited.ResponseCode);
        Assert.Equal(ResponseCode.FlushDiskTimeout, waited.ResponseCode);
        Assert.Equal(2, waited.Fields.GetInt64("queueOffset"u8));
        await peer.DispatchedAsync("Orders", 3);
    }

    [Theory]
    [InlineData("ASYNC_FLUSH")]
    [InlineData("SYNC_FLUSH")]
    public async Task Send_DiskThatFails_NobodyIsToldThatTheMessageIsStored(string flush)
    {
        using var disk = new ScarceDisk();
        await using RunningBroker broker = await RunningBroker.StartAsync(disk, ("flushDiskType", flush));
        Peer peer = broker.Connect("p");
        await peer.StoreAsync("Orders", "first");
        disk.IsBroken = true;
        var codes = new ConcurrentBag<ResponseCode>();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            try
            {
                codes.Add((await peer.SendAsync(Sends.Header("Orders"))).ResponseCode);
            }
            catch (Exception e) when (e is ConnectionClosedException or SocketException)
            {
                // Its connection has ended without an answer.
            }
        }));
        Assert.DoesNotContain(ResponseCode.Success, codes);
    }

    [Fact]
    public async Task Batch_Messages_HaveTheirOwnPropertiesAndOffsets()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");

        RemotingCommand reply = await peer.AskAsync(
            RequestCode.SendMessageV2,
            Sends.Header("Orders", properties: Sends.Properties(("UNIQ_KEY", "B"), ("WAIT", "true"))) with { Batch = true },
            Batches.Body(("one", Sends.Properties(("UNIQ_KEY", "K1"), ("TAGS", "a"))), ("two", Sends.Properties(("UNIQ_KEY", "K2")))));

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Equal("B", reply.Fields.GetString("transactionId"u8));
        ReceivedMessage one = await peer.ReadAsync("Orders", 0);
        ReceivedMessage two = await peer.ReadAsync("Orders", 1);
        Assert.Equal($"{one.OffsetMessageId},{two.OffsetMessageId}", reply.Fields.GetString("msgId"u8));
        Assert.Equal(("K1", "a", RunningBroker.Cluster), (one.Properties["UNIQ_KEY"], one.Tags, one.Properties["CLUSTER"]));
        Assert.Equal("K2", two.Properties["UNIQ_KEY"]);
        Assert.Equal("two", Encoding.UTF8.GetString(two.Body.Span));
    }

    private static async Task<string> LogTextAsync(RunningBroker broker)
    {
        await using var log = new FileStream(
            Path.Combine(broker.StorePath, "commitlog", $"{0:D20}"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] beginning = new byte[4_096];
        await log.ReadExactlyAsync(beginning);
        return Encoding.Latin1.GetString(beginning);
    }

    private static bool HasIPv6Loopback()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The header as code 10 has it, with its fields' whole names.</summary>
    private readonly record struct LongSendHeader(SendMessageHeader Header) : IHeaderFields
    {
        public void Write(ref HeaderWriter writer)
        {
            writer.Write("producerGroup"u8, Header.ProducerGroup.Span);
            writer.Write("topic"u8, Header.Topic.Span);
            writer.Write("defaultTopic"u8, Header.DefaultTopic.Span);
            writer.Write("defaultTopicQueueNums"u8, Header.DefaultTopicQueueNums);
            writer.Write("queueId"u8, Header.QueueId);
            writer.Write("sysFlag"u8, Header.SysFlag);
            writer.Write("bornTimestamp"u8, Header.BornTimestampMs);
            writer.Write("flag"u8, Header.Flag);
        }
    }
}
