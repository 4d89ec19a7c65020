using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Serving;
using GrayMQ.Broker.Transactions;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using Half = GrayMQ.Broker.Transactions.Half;

namespace GrayMQ.Broker.Gray;

/// <summary>A withdrawal that skips what is left skips also what is not there yet: delayed and half messages, and what the gray side failed.</summary>
public sealed class GraySkipTests : GrayWireTests
{
    private const string OtherGroup = "H";
    private static readonly (string, string) Mark = (GrayMark.Property, GrayMark.Value);

    /// <summary>How a message waits that is in no gray queue yet when the gray side is withdrawn.</summary>
    public enum Waiting
    {
        /// <summary>For a delay level.</summary>
        Level,

        /// <summary>For a time.</summary>
        Time,

        /// <summary>For a time so far ahead that it is stored anew in between.</summary>
        Rolled,

        /// <summary>For the end of its transaction.</summary>
        Half,

        /// <summary>For the end of its transaction, and then for a delay level.</summary>
        DelayedHalf,
    }

    [Theory]
    [InlineData(Waiting.Level, false)]
    [InlineData(Waiting.Level, true)]
    [InlineData(Waiting.Time, false)]
    [InlineData(Waiting.Rolled, false)]
    [InlineData(Waiting.Half, false)]
    [InlineData(Waiting.DelayedHalf, false)]
    [InlineData(Waiting.DelayedHalf, true)]
    public async Task Withdraw_SkipsWhatWaits_ForThisGroupAlone(Waiting waiting, bool restarted)
    {
        await using GrayFixture gray = await StartWaitingAsync();
        (Peer normal, _) = await OpenAsync(gray);
        Half? half = await SendLateAsync(gray, waiting);

        await gray.State.WithdrawAsync(Group, GrayLeftover.Skip);
        if (restarted)
        {
            await gray.RestartAsync();
            normal = await JoinAsync(gray, "v1-1");
        }

        await ComesAsync(gray, half);
        await gray.SendAsync(Topic, "later", gray: true, 0);

        Assert.Equal(["later"], await ConsumeAsync(normal, Group, "later"));
        await GivenUpAsync(gray, 1);
        Peer other = gray.Broker.Connect("h-1");
        await other.HeartbeatAsync(OtherGroup, [ClientsFixture.To(Topic)]);
        Assert.Equal(["late", "later"], await ConsumeAsync(other, OtherGroup, "later"));
    }

    [Fact]
    public async Task Withdraw_CountsWhatLayThereAndWhatCameLater_AlsoAfterARestart()
    {
        await using GrayFixture gray = await StartWaitingAsync();
        (Peer normal, _) = await OpenAsync(gray);
        await gray.SendAsync(Topic, "left-1", gray: true, 0);
        await gray.SendAsync(Topic, "left-2", gray: true, 0);
        Half? half = await SendLateAsync(gray, Waiting.Half);
        await gray.State.WithdrawAsync(Group, GrayLeftover.Skip);
        await GivenUpAsync(gray, 2);

        await ComesAsync(gray, half, before: 2);
        await gray.SendAsync(Topic, "later", gray: true, 0);
        Assert.Equal(["later"], await ConsumeAsync(normal, Group, "later", from: 2));
        await GivenUpAsync(gray, 3);

        // Consumed again, it is not counted again.
        await gray.RestartAsync();
        normal = await JoinAsync(gray, "v1-1");
        Assert.Equal(["later"], await ConsumeAsync(normal, Group, "later", from: 2));
        await GivenUpAsync(gray, 3);
    }

    [Fact]
    public async Task Withdraw_SkipsWhatWaits_ForWhoPops()
    {
        await using GrayFixture gray = await StartWaitingAsync();
        (Peer normal, _) = await OpenAsync(gray);
        await SendLateAsync(gray, Waiting.Level);

        await gray.State.WithdrawAsync(Group, GrayLeftover.Skip);
        await ComesAsync(gray, null);
        await gray.SendAsync(Topic, "later", gray: true, 0);

        Assert.Equal("later", Assert.Single(await normal.TakeAsync(Pops.Header(Topic, group: Group), 1)).Body);
        await GivenUpAsync(gray, 1);
    }

    [Fact]
    public async Task Withdraw_ThatGivesTheNormalSideWhatIsLeft_GivesItWhatWaits()
    {
        await using GrayFixture gray = await StartWaitingAsync();
        (Peer normal, _) = await OpenAsync(gray);
        await SendLateAsync(gray, Waiting.Level);

        await gray.State.WithdrawAsync(Group, GrayLeftover.Normal);
        await ComesAsync(gray, null);

        Assert.Equal(["late"], await ConsumeAsync(normal, Group, "late"));
    }

    [Fact]
    public async Task Withdraw_TakenBack_GivesWhatWaitsToTheGraySide()
    {
        await using GrayFixture gray = await StartWaitingAsync(("grayWithdrawWaitMs", "600000"));
        (_, Peer canary) = await OpenAsync(gray);
        Half? half = await SendLateAsync(gray, Waiting.Half);
        await gray.State.SetReleaseAsync(
            Group, release => release with { State = GrayReleaseState.Withdrawing, Leftover = GrayLeftover.Skip });

        await gray.State.SetReleaseAsync(Group, release => release with { State = GrayReleaseState.Open, Leftover = null });
        await ComesAsync(gray, half);

        Assert.Equal(["late"], await ConsumeAsync(canary, Group, "late"));
    }

    [Fact]
    public async Task Withdraw_SkipsWhatWaits_AlsoForTheNextRelease()
    {
        await using GrayFixture gray = await StartWaitingAsync();
        await OpenAsync(gray);
        Half? half = await SendLateAsync(gray, Waiting.Half);
        await gray.State.WithdrawAsync(Group, GrayLeftover.Skip);

        await gray.State.OpenAsync(Group, glob: "v3-*");
        Peer next = await JoinAsync(gray, "v3-1");
        await Eventually.TrueAsync(() => Queue(gray, 0) is { Owner: Side.Gray, IsHandedOver: false }, "queue 0 is gray");
        await ComesAsync(gray, half);
        await gray.SendAsync(Topic, "later", gray: true, 0);

        Assert.Equal(["later"], await ConsumeAsync(next, Group, "later"));
    }

    // DefaultMQPushConsumerImpl.sendMessageBack of a gray client, before the withdrawal and, by then retired, after it.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Withdraw_SkipsWhatTheGraySideFailed(bool afterItsEnd)
    {
        await using GrayFixture gray = await StartWaitingAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        string retry = $"%RETRY%{Group}";
        await gray.SendAsync(Topic, "failed", gray: true, 0);
        long failed = (await canary.ReadAsync(Topic, 0)).PhysicalOffset;
        await CommitAsync(canary, 0, 1);
        if (!afterItsEnd)
        {
            await BackAsync(canary, failed);
        }

        await gray.State.WithdrawAsync(Group, GrayLeftover.Skip);
        if (afterItsEnd)
        {
            await BackAsync(canary, failed);
        }

        await gray.SendAsync(Topic, "own", gray: false, 1);
        await BackAsync(normal, (await normal.ReadAsync(Topic, 0, 1)).PhysicalOffset);
        await Eventually.TrueAsync(
            async () => await gray.Admin.MaxOffsetAsync(retry) + await gray.Admin.MaxOffsetAsync(retry, 1) == 2, "both come back");

        var got = new List<string>();
        for (int queueId = 0; queueId < 2; queueId++)
        {
            if (await gray.Admin.MaxOffsetAsync(retry, queueId) > 0)
            {
                got.AddRange(await ReadToEndAsync(normal, Group, retry, queueId));
            }
        }

        Assert.Equal(["own"], got);
        await GivenUpAsync(gray, 1);
    }

    // Nobody waited for this broker: it hears of the withdrawal when that is over.
    [Fact]
    public async Task Withdraw_WhileTheBrokerIsAway_SkipsWhatLiesThereAndWhatWaits()
    {
        await using GrayFixture gray = await StartWaitingAsync();
        await OpenAsync(gray);
        await gray.SendAsync(Topic, "left", gray: true, 0);
        Half? half = await SendLateAsync(gray, Waiting.Half);
        await gray.StopAsync();
        Task ended = gray.State.SetReleaseAsync(
            Group, release => release with { State = GrayReleaseState.Withdrawn, Leftover = GrayLeftover.Skip });
        await gray.StartAgainAsync();
        await ended;

        Peer normal = await JoinAsync(gray, "v1-1");
        await Eventually.TrueAsync(async () => await gray.CommittedAsync(Group, Topic, 0) == 1, "what lies there is skipped");
        await ComesAsync(gray, half, before: 1);
        await gray.SendAsync(Topic, "later", gray: true, 0);

        Assert.Equal(["later"], await ConsumeAsync(normal, Group, "later", from: 1));
        await GivenUpAsync(gray, 2);
    }

    private static async Task<GrayFixture> StartWaitingAsync(params (string Key, string Value)[] settings) => await StartAsync(
        [
            ("grayWithdrawWaitMs", "200"), ("messageDelayLevel", "3s 1h"), ("timerRollWindowSlot", "2"),
            .. settings,
        ]);

    // Where it is too late by the time of the withdrawal it is skipped in its queue: the outcome is the same.
    private static async Task<Half?> SendLateAsync(GrayFixture gray, Waiting waiting)
    {
        (string, string)[] delay = waiting switch
        {
            Waiting.Level or Waiting.DelayedHalf => [("DELAY", "1")],
            Waiting.Time => [("TIMER_DELAY_MS", "2000")],
            Waiting.Rolled => [("TIMER_DELAY_MS", "5000")],
            _ => [],
        };
        if (waiting is Waiting.Half or Waiting.DelayedHalf)
        {
            Producer producer = await Producer.ConnectAsync(gray.Broker);
            RemotingCommand begun = await producer.Peer.SendAsync(producer.Header(Topic, 0, [Mark, .. delay]), "late");
            Assert.Equal(ResponseCode.Success, begun.ResponseCode);
            SendMessageResponseHeader sent = SendMessageResponseHeader.Read(begun.Fields);
            Assert.True(MessageId.TryParse(sent.MessageId, out _, out long physicalOffset));
            return new Half(sent.TransactionId!, sent.QueueOffset, physicalOffset);
        }

        RemotingCommand reply = await gray.Admin.SendAsync(Sends.Header(Topic, 0, Sends.Properties([Mark, .. delay])), "late");
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        return null;
    }

    // Ends the transaction, if it is one, and waits until the message is in its gray queue.
    private static async Task ComesAsync(GrayFixture gray, Half? half, long before = 0)
    {
        if (half is not null)
        {
            await (await Producer.ConnectAsync(gray.Broker, "producer again")).CommitAsync(half);
        }

        await Eventually.TrueAsync(async () => await gray.Admin.MaxOffsetAsync(Topic) == before + 1, "the message is stored in its queue");
    }

    private static async Task<List<string>> ConsumeAsync(Peer peer, string group, string last, long from = 0)
    {
        var bodies = new List<string>();
        long next = from;
        await Eventually.TrueAsync(
            async () =>
            {
                next = await PullOnAsync(peer, group, Topic, 0, next, bodies);
                return bodies.Contains(last);
            },
            $"{last}, after {string.Join(',', bodies)}");
        return bodies;
    }

    private static async Task<List<string>> ReadToEndAsync(Peer peer, string group, string topic, int queueId)
    {
        var bodies = new List<string>();
        long next = 0;
        long end = await peer.MaxOffsetAsync(topic, queueId);
        await Eventually.TrueAsync(
            async () =>
            {
                next = await PullOnAsync(peer, group, topic, queueId, next, bodies);
                return next >= end;
            },
            $"offset {end} of {topic}");
        return bodies;
    }

    private static async Task<long> PullOnAsync(Peer peer, string group, string topic, int queueId, long offset, List<string> bodies)
    {
        RemotingCommand reply = await peer.PullAsync(
            Pulls.Header(topic, offset, queueId) with { ConsumerGroup = Encoding.UTF8.GetBytes(group) });
        bodies.AddRange(Pulls.Bodies(reply));
        return PullMessageResponseHeader.Read(reply.Fields).NextBeginOffset;
    }

    private static async Task BackAsync(Peer peer, long physicalOffset)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.ConsumerSendMessageBack, new ConsumerSendMessageBackHeader
        {
            Group = Group,
            PhysicalOffset = physicalOffset,
            DelayLevel = 1,
            OriginTopic = Topic,
            OriginMessageId = "C000",
        });
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
    }

    private static Task GivenUpAsync(GrayFixture gray, long count) => Eventually.TrueAsync(
        async () =>
        {
            var status = await gray.Admin.AskAsync<GetBrokerGrayStatusHeader, BrokerGrayStatus>(
                RequestCode.GetBrokerGrayStatus, new GetBrokerGrayStatusHeader { Group = Group });
            return status.GivenUp is [{ Generation: 1 } one] && one.Count == count;
        },
        $"{count} messages are counted");
}
