using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Client.Tests.Consumers;

/// <summary>A push consumer with one queue, at a broker that answers as a test wants.</summary>
public sealed class PushConsumerScriptedTests : IAsyncLifetime
{
    private const string Topic = "t";

    private readonly ScriptedGroup _group = new();
    private readonly ConcurrentQueue<ReceivedMessage> _handled = new();
    private ScriptedNameServer _nameServer = null!;
    private ScriptedBroker _broker = null!;

    public async ValueTask InitializeAsync()
    {
        _nameServer = await ScriptedNameServer.StartAsync();
        _broker = await ScriptedBroker.StartAsync("b", more: _group.AddTo);
        _nameServer.With(Topic, 1, _broker);
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _nameServer.DisposeAsync();
    }

    [Fact]
    public async Task OffsetIsIllegal_CommitsTheRightOneAndGoesOnThere()
    {
        _group.Stored = 100;
        _group.OnPull = (request, pull) =>
        {
            if (pull.QueueOffset == 100)
            {
                ScriptedGroup.Reply(request, ResponseCode.PullOffsetMoved, 50);
            }
            else if (pull.QueueOffset == 50)
            {
                ScriptedGroup.Reply(request, pull, 52, 50, 51);
            }

            return true;
        };
        await using PushConsumer consumer = await StartAsync();

        await HandledAsync(2);

        Assert.Equal([50, 51], _handled.Select(message => message.QueueOffset).Order());
        Assert.Equal((Topic, 0, 50), _group.Commits.First());
    }

    [Fact]
    public async Task NothingMatched_GoesOnBehindAndCommitsIt()
    {
        _group.Stored = 0;
        _group.OnPull = (request, pull) =>
        {
            if (pull.QueueOffset == 0)
            {
                ScriptedGroup.Reply(request, ResponseCode.PullRetryImmediately, 40);
            }

            return true;
        };
        await using PushConsumer consumer = await StartAsync();
        await Eventually.TrueAsync(() => _group.Pulls.Any(pull => pull.QueueOffset == 40), "pulled from 40 on");

        await consumer.StopAsync();

        Assert.Equal((Topic, 0, 40), Assert.Single(_group.Commits));
    }

    [Fact]
    public async Task Pull_CarriesWhatIsHandled()
    {
        _group.Stored = 5;
        _group.OnPull = (request, pull) =>
        {
            if (pull.QueueOffset == 5)
            {
                ScriptedGroup.Reply(request, pull, 6, 5);
            }
            else if (!pull.SysFlag.HasFlag(PullSysFlag.CommitOffset) || pull.CommitOffset < 6)
            {
                ScriptedGroup.Reply(request, ResponseCode.PullNotFound, 6);
            }

            return true;
        };
        await using PushConsumer consumer = await StartAsync();

        await Eventually.TrueAsync(() => _group.Pulls.Any(pull => pull.CommitOffset == 6), "a pull commits 6");

        PullMessageHeader first = _group.Pulls.First();
        Assert.Equal(32, first.MaxMessages);
        Assert.Equal(15_000, first.SuspendTimeoutMs);
        Assert.Equal("g", Encoding.UTF8.GetString(first.ConsumerGroup.Span));
        Assert.Equal(PullSysFlag.Suspend, first.SysFlag);
    }

    [Fact]
    public async Task SubscriptionIsNotKnown_TellsItAgain()
    {
        int heartbeats = 0;
        _group.OnPull = (request, pull) =>
        {
            if (heartbeats == 0)
            {
                heartbeats = _broker.Heartbeats.Count;
                request.Reply(ResponseCode.SubscriptionNotExist, "scripted");
            }
            else if (pull.QueueOffset == 0)
            {
                ScriptedGroup.Reply(request, pull, 1, 0);
            }

            return true;
        };
        await using PushConsumer consumer = await StartAsync();

        await HandledAsync(1);

        Assert.True(_broker.Heartbeats.Count > heartbeats);
    }

    [Fact]
    public async Task ConnectionIsLost_TellsTheBrokerWhoItIsOverTheNextOne()
    {
        _group.Stored = 0;
        await using PushConsumer consumer = await StartAsync(change: options => options.HeartbeatInterval = TimeSpan.FromHours(1));
        await Eventually.TrueAsync(() => !_group.Pulls.IsEmpty, "a pull is kept");
        RemotingPeer first = _group.Consumer!;

        first.Abort("the test ends it");

        await Eventually.TrueAsync(() => !ReferenceEquals(_group.Consumer, first), "a heartbeat comes by another connection");
    }

    [Fact]
    public async Task HeartbeatIsNotAnswered_IsToldAgainBeforeItsTime()
    {
        _group.Stored = 0;
        _broker.Refuse(RequestCode.Heartbeat, ResponseCode.SystemError, times: 2);
        await using PushConsumer consumer = await StartAsync(change: options => options.HeartbeatInterval = TimeSpan.FromHours(1));

        await Eventually.TrueAsync(() => _broker.Heartbeats.Count > 2, "it is told again");
    }

    [Theory]
    [InlineData(ResponseCode.FlowControl)]
    [InlineData(ResponseCode.SystemBusy)]
    [InlineData(ResponseCode.SystemError)]
    public async Task PullIsRefused_IsTriedAgain(ResponseCode code)
    {
        int pulls = 0;
        _group.OnPull = (request, pull) =>
        {
            if (Interlocked.Increment(ref pulls) <= 3)
            {
                request.Reply(code, "scripted");
            }
            else if (pull.QueueOffset == 0)
            {
                ScriptedGroup.Reply(request, pull, 1, 0);
            }

            return true;
        };
        await using PushConsumer consumer = await StartAsync();

        await HandledAsync(1);
    }

    [Fact]
    public async Task MessageFails_IsGivenBackToTheBroker()
    {
        _group.SendBackAnswer = ResponseCode.Success;
        ReplyOnce(7, 8);
        await using PushConsumer consumer = await StartAsync(
            (message, _) => new(message.QueueOffset == 7 ? ConsumeResult.RetryLater : ConsumeResult.Success));

        await Eventually.TrueAsync(() => _group.SentBack.Count == 1, "the message was given back");
        await consumer.StopAsync();

        ConsumerSendMessageBackHeader back = _group.SentBack.Single();
        Assert.Equal(7000, back.PhysicalOffset);
        Assert.Equal("g", back.Group);
        Assert.Equal(0, back.DelayLevel);
        Assert.Equal(Topic, back.OriginTopic);
        Assert.Equal("7F00000100002A9F0000000000001B58", back.OriginMessageId);
        Assert.Equal(16, back.MaxReconsumeTimes);
        Assert.Equal((Topic, 0, 9), _group.Commits.Last());
    }

    [Fact]
    public async Task MessageFailsAndIsNotTakenBack_HoldsTheOffsetBack()
    {
        ReplyOnce(7, 8);
        await using PushConsumer consumer = await StartAsync((message, _) =>
        {
            _handled.Enqueue(message);
            return new(message.QueueOffset == 7 ? ConsumeResult.RetryLater : ConsumeResult.Success);
        });

        await Eventually.TrueAsync(() => _handled.Count(message => message.QueueOffset == 7) >= 3, "it was tried three times");
        await consumer.StopAsync();

        Assert.Equal((Topic, 0, 7), _group.Commits.Last());
        Assert.Equal([0, 1, 2], _handled.Where(message => message.QueueOffset == 7).Select(message => message.ReconsumeTimes).Take(3));
        Assert.Single(_handled, message => message.QueueOffset == 8);
    }

    [Fact]
    public async Task HandlerHangs_MessageIsGivenBackAndHoldsNothingUp()
    {
        var release = new TaskCompletionSource();
        _group.SendBackAnswer = ResponseCode.Success;
        ReplyOnce(7, 8);
        await using PushConsumer consumer = await StartAsync(
            async (message, _) =>
            {
                if (message.QueueOffset == 7)
                {
                    await release.Task;
                }

                _handled.Enqueue(message);
                return ConsumeResult.RetryLater;
            },
            options =>
            {
                options.ConsumeTimeout = TimeSpan.FromMilliseconds(50);
                options.OffsetCommitInterval = TimeSpan.FromMilliseconds(50);
            });

        await Eventually.TrueAsync(() => _group.Commits.Any(commit => commit.Offset == 9), "both messages are committed");
        release.SetResult();
        await HandledAsync(2);
        await consumer.StopAsync();

        Assert.Equal([7000, 8000], _group.SentBack.Select(back => back.PhysicalOffset).Order());
    }

    [Fact]
    public async Task TooManyMessagesWait_PullsNoMore()
    {
        var release = new TaskCompletionSource();
        _group.OnPull = (request, pull) =>
        {
            long from = pull.QueueOffset;
            ScriptedGroup.Reply(request, pull, from + 10, [.. Enumerable.Range(0, 10).Select(i => from + i)]);
            return true;
        };
        await using PushConsumer consumer = await StartAsync(
            async (message, _) =>
            {
                await release.Task;
                _handled.Enqueue(message);
                return ConsumeResult.Success;
            },
            options => options.MaxCachedMessagesPerQueue = 35);

        await Eventually.TrueAsync(() => _group.Pulls.Count == 4, "pulls go on until more than 35 messages wait");
        Assert.Empty(_handled);
        release.SetResult();

        await HandledAsync(100);
    }

    [Fact]
    public async Task BrokerResetsOffsets_GoesOnThere_WhateverIsStillAtWork()
    {
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        _group.Stored = 500;
        _group.OnPull = (request, pull) =>
        {
            if (pull.QueueOffset is 500 or 20)
            {
                ScriptedGroup.Reply(request, pull, pull.QueueOffset + 1, pull.QueueOffset);
            }

            return true;
        };
        await using PushConsumer consumer = await StartAsync(async (message, _) =>
        {
            if (message.QueueOffset == 500)
            {
                begun.SetResult();
                await release.Task;
            }

            _handled.Enqueue(message);
            return ConsumeResult.Success;
        });
        await begun.Task.WaitAsync(Eventually.Deadline);

        RemotingCommand answer = await _group.Consumer!.InvokeAsync(
            RequestCode.ResetConsumerClientOffset,
            new ResetOffsetHeader { Topic = Topic, Group = "g", TimestampMs = 1 },
            BodyCodec.Encode(new ResetOffsetBody { OffsetTable = new() { [new MessageQueue(Topic, "b", 0)] = 20 } }),
            Eventually.Deadline);

        Assert.Equal(ResponseCode.Success, answer.ResponseCode);
        await HandledAsync(1);
        release.SetResult();
        await HandledAsync(2);
        await consumer.StopAsync();
        Assert.Equal([20, 500], _handled.Select(message => message.QueueOffset));
        Assert.Equal([20, 21], _group.Commits.Select(commit => commit.Offset));
    }

    [Fact]
    public async Task BrokerAsksAboutTheInside_IsTold()
    {
        ReplyOnce(7);
        await using PushConsumer consumer = await StartAsync();
        await HandledAsync(1);

        RemotingCommand info = await _group.Consumer!.InvokeAsync(
            RequestCode.GetConsumerRunningInfo,
            new GetConsumerRunningInfoHeader { ConsumerGroup = "g", ClientId = consumer.ClientId },
            default,
            Eventually.Deadline);
        RemotingCommand status = await _group.Consumer!.InvokeAsync(
            RequestCode.GetConsumerStatusFromClient,
            new GetConsumerStatusHeader { Topic = Topic, Group = "g" },
            default,
            Eventually.Deadline);
        RemotingCommand stranger = await _group.Consumer!.InvokeAsync(
            RequestCode.GetConsumerRunningInfo,
            new GetConsumerRunningInfoHeader { ConsumerGroup = "other", ClientId = "" },
            default,
            Eventually.Deadline);

        var queue = new MessageQueue(Topic, "b", 0);
        ConsumerRunningInfo running = BodyCodec.Decode<ConsumerRunningInfo>(info.Body);
        Assert.Equal(8, running.MqTable[queue].CommitOffset);
        Assert.Equal(1, running.StatusTable[Topic].ConsumeOkTps * 60, 3);
        Assert.Equal([Topic, "%RETRY%g"], running.SubscriptionSet.Select(subscription => subscription.Topic).OrderDescending());
        Assert.Equal("CONSUME_PASSIVELY", running.Properties["PROP_CONSUME_TYPE"]);
        Assert.Equal(8, BodyCodec.Decode<GetConsumerStatusBody>(status.Body).MessageQueueTable[queue]);
        Assert.Equal(ResponseCode.SystemError, stranger.ResponseCode);
    }

    [Fact]
    public async Task MembersAreNotToldAnyMore_KeepsItsQueues()
    {
        _group.Stored = 0;
        await using PushConsumer consumer = await StartAsync();
        await Eventually.TrueAsync(() => consumer.Queues.Count == 1, "the queue is worked on");
        int heartbeats = _broker.Heartbeats.Count;

        _group.Members = _ => ["somebody else"];
        Assert.True(_group.Consumer!.SendOneWay(
            RequestCode.NotifyConsumerIdsChanged, new NotifyConsumerIdsChangedHeader { ConsumerGroup = "g" }));

        await Eventually.TrueAsync(() => _broker.Heartbeats.Count > heartbeats, "the broker is told who is there");
        Assert.Single(consumer.Queues);
    }

    [Fact]
    public async Task AnotherMemberComes_GivesTheQueueAwayAndCommits()
    {
        ReplyOnce(7);
        await using PushConsumer consumer = await StartAsync();
        await HandledAsync(1);

        // Sorted before this consumer's, whose id begins with an address.
        _group.Members = ids => [.. ids, "!"];
        Assert.True(_group.Consumer!.SendOneWay(
            RequestCode.NotifyConsumerIdsChanged, new NotifyConsumerIdsChangedHeader { ConsumerGroup = "g" }));

        await Eventually.TrueAsync(() => consumer.Queues.Count == 0, "the queue is given away");
        await Eventually.TrueAsync(() => _group.Commits.Any(commit => commit.Offset == 8), "what was handled is committed");
    }

    [Fact]
    public async Task OrderlyConsumer_LockIsRefused_WaitsForIt()
    {
        bool free = false;
        int refused = 0;
        _group.MayLock = _ =>
        {
            refused += free ? 0 : 1;
            return free;
        };
        ReplyOnce(7);
        await using PushConsumer consumer = await StartAsync(change: options => options.Orderly = true);
        await Eventually.TrueAsync(() => refused > 0, "the lock was asked for");
        Assert.Empty(_group.Pulls);

        free = true;

        await HandledAsync(1);
        await consumer.StopAsync();
        Assert.Contains(_group.Unlocked, body => body.MqSet.Contains(new MessageQueue(Topic, "b", 0)));
    }

    [Fact]
    public async Task OrderlyConsumer_LockIsLost_DropsTheQueue()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        bool locked = true;
        _group.MayLock = _ => locked;
        ReplyOnce(7);
        await using PushConsumer consumer = await StartAsync(change: options => options.Orderly = true, time: time);
        await HandledAsync(1);

        locked = false;
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return consumer.Queues.Count == 0;
            },
            "the queue is dropped at the next renewal");
    }

    [Fact]
    public async Task Offsets_AreCommittedAtTheInterval()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        ReplyOnce(7);
        await using PushConsumer consumer = await StartAsync(time: time);
        await HandledAsync(1);
        Assert.Empty(_group.Commits);

        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(500));
                return !_group.Commits.IsEmpty;
            },
            "the offset is committed");

        Assert.Equal((Topic, 0, 8), _group.Commits.First());
    }

    [Fact]
    public async Task RetryTopic_ToldLateOfABroker_IsConsumedThereSoon()
    {
        string retryTopic = TopicNames.RetryOf("g");
        var otherGroup = new ScriptedGroup();
        await using ScriptedBroker other = await ScriptedBroker.StartAsync("c", more: otherGroup.AddTo);
        _nameServer.With(Topic, 1, _broker, other).With(retryTopic, 1, _broker);
        await using PushConsumer consumer = await StartAsync(change: options =>
        {
            options.RebalanceInterval = TimeSpan.FromHours(1);
            options.RouteRefreshInterval = TimeSpan.FromHours(1);
        });
        await Eventually.TrueAsync(() => RetryBrokers().SequenceEqual(["b"]), "the retry topic is consumed at one broker");

        _nameServer.With(retryTopic, 1, _broker, other);

        await Eventually.TrueAsync(() => RetryBrokers().SequenceEqual(["b", "c"]), "and at the other");

        IEnumerable<string> RetryBrokers() =>
            consumer.Queues.Where(queue => queue.Topic == retryTopic).Select(queue => queue.BrokerName).Order();
    }

    private void ReplyOnce(params long[] offsets)
    {
        _group.Stored = offsets[0];
        _group.OnPull = (request, pull) =>
        {
            if (pull.QueueOffset == offsets[0])
            {
                ScriptedGroup.Reply(request, pull, offsets[^1] + 1, offsets);
            }

            return true;
        };
    }

    private Task HandledAsync(int count) => Eventually.TrueAsync(() => _handled.Count >= count, $"{count} messages are handled");

    private async Task<PushConsumer> StartAsync(
        Func<ReceivedMessage, CancellationToken, ValueTask<ConsumeResult>>? handler = null,
        Action<PushConsumerOptions>? change = null,
        TimeProvider? time = null)
    {
        var options = new PushConsumerOptions
        {
            NameServers = _nameServer.Address,
            Group = "g",
            ConsumeFrom = ConsumeFrom.First,
            LocalRetryDelay = TimeSpan.FromMilliseconds(20),
            Subscriptions = { [Topic] = "*" },
        };
        change?.Invoke(options);
        handler ??= (message, _) =>
        {
            _handled.Enqueue(message);
            return new(ConsumeResult.Success);
        };
        var consumer = new PushConsumer(options, handler, new TestLoggers(), time);
        await consumer.StartAsync();
        return consumer;
    }
}
