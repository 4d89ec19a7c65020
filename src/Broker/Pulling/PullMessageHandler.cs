using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Topics;
using GrayMQ.Filtering;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Pulling;

/// <summary>
/// Answers PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361): checks who asks for what, then reads, and where there is nothing yet parks
/// the request. The rules, codes and next offsets are those of RocketMQ's PullMessageProcessor.
/// </summary>
internal sealed class PullMessageHandler
{
    [ThreadStatic]
    private static MessageSlices? _slices;

    private readonly PullOptions _options;
    private readonly TopicTable _topics;
    private readonly SubscriptionGroupTable _groups;
    private readonly ConsumerTable _consumers;
    private readonly ConsumerOffsetTable _offsets;
    private readonly ClientCommits _commits;
    private readonly MessageStore _store;
    private readonly ParkedPulls _parked;
    private readonly BrokerLifecycle _lifecycle;
    private readonly BrokerStatistics _statistics;
    private readonly SubscriptionFilters _filters;
    private readonly GrayTable _gray;

    public PullMessageHandler(
        PullOptions options,
        TopicTable topics,
        SubscriptionGroupTable groups,
        ConsumerTable consumers,
        ConsumerOffsetTable offsets,
        ClientCommits commits,
        MessageStore store,
        ParkedPulls parked,
        BrokerLifecycle lifecycle,
        BrokerStatistics statistics,
        SubscriptionFilters filters,
        GrayTable gray)
    {
        _options = options;
        _topics = topics;
        _groups = groups;
        _consumers = consumers;
        _offsets = offsets;
        _commits = commits;
        _store = store;
        _parked = parked;
        _lifecycle = lifecycle;
        _statistics = statistics;
        _filters = filters;
        _gray = gray;
        parked.AnswerWith(AnswerParked);
    }

    public ValueTask HandleAsync(RemotingRequest request, PullMessageHeader header)
    {
        try
        {
            Handle(request, in header);
        }
        catch (PullForbiddenException e)
        {
            request.Responder.Reply(ResponseCode.NoPermission, e.Message, e.Header);
        }

        return ValueTask.CompletedTask;
    }

    private void Handle(RemotingRequest request, in PullMessageHeader header)
    {
        SubscriptionGroupConfig group = FindGroup(in header, request.Code);
        Topic topic = FindTopic(in header, request);
        GrayGroup? sides = _gray.FindGroup(header.ConsumerGroup.Span);
        IMessageFilter? filter = FindFilter(in header, topic.Name, group, sides, request.Connection, out bool isOfGroup);

        if ((header.SysFlag & PullSysFlag.CommitOffset) != 0 && header.CommitOffset >= 0)
        {
            _commits.Commit(sides, header.ConsumerGroup.Span, topic, header.QueueId, header.CommitOffset, request.Connection);
        }

        var pull = new Pull(
            request.Responder,
            topic,
            group,
            _store.GetQueue(topic.NameUtf8.Span, header.QueueId),
            header.QueueOffset,
            Math.Max(1, header.MaxMessages),
            header.MaxMessageBytes is > 0 and int most ? most : int.MaxValue,
            filter,
            IsFilterOfGroup: isOfGroup);
        if ((sides is null || sides.CapFor(header.Topic.Span, header.QueueId, sides.StandingOf(request.Connection)) > 0)
            && _offsets.TakeReset(header.ConsumerGroup.Span, header.Topic.Span, header.QueueId) is long reset)
        {
            Reply(in pull, ResponseCode.PullOffsetMoved, "OFFSET_RESET", reset);
        }
        else
        {
            Answer(in pull, SuspendTime(in header));
        }
    }

    private static void Reply(in Pull pull, ResponseCode code, string remark, long nextOffset) =>
        pull.Responder.Reply(code, remark, ResponseHeader(in pull, nextOffset, pull.Queue.MinOffset, pull.Queue.MaxOffset));

    private static PullMessageResponseHeader ResponseHeader(in Pull pull, long next, long min, long max) => new()
    {
        SuggestWhichBrokerId = pull.Group.BrokerId,
        NextBeginOffset = next,
        MinOffset = min,
        MaxOffset = max,
        TopicSysFlag = pull.Topic.Config.TopicSysFlag,
        GroupSysFlag = pull.Group.GroupSysFlag,
    };

    private void AnswerParked(Pull pull)
    {
        if (pull.IsFilterOfGroup)
        {
            // A heartbeat may have told meanwhile whose it is: by the other side's filter it would pass over messages for good.
            Reply(in pull, ResponseCode.PullNotFound, "it was not known what this client subscribes to", pull.QueueOffset);
            return;
        }

        Answer(in pull, TimeSpan.Zero);
    }

    /// <summary>Reads and answers; parks the pull instead when there is nothing yet and it may wait.</summary>
    private void Answer(in Pull pull, TimeSpan suspend)
    {
        if (_lifecycle.HoldsBack)
        {
            if (suspend <= TimeSpan.Zero || !_parked.TryPark(in pull, suspend))
            {
                Reply(in pull, ResponseCode.PullNotFound, "the broker is leaving", pull.QueueOffset);
            }

            return;
        }

        MessageSlices slices = _slices ??= new MessageSlices();
        try
        {
            Answer(in pull, suspend, slices);
        }
        finally
        {
            // Also where what was read is not given: the thread may serve no other pull that would let go of the log's files.
            slices.Dispose();
        }
    }

    private void Answer(in Pull pull, TimeSpan suspend, MessageSlices slices)
    {
        ReadStatus status;
        int stamp;
        do
        {
            stamp = _gray.Stamp;
            long end = long.MaxValue;
            GrayGroup? sides = _gray.View?.FindGroup(pull.Group.GroupName);
            if (sides is not null && !MayRead(in pull, sides, stamp, suspend, out end))
            {
                return;
            }

            if (_gray.KeyOrder is { } keys)
            {
                long inOrder = keys.EndFor(pull.Group.GroupName, sides, pull.Topic, pull.Queue.QueueId);
                if (pull.QueueOffset >= inOrder)
                {
                    Hold(in pull, stamp, suspend, "messages of the same keys are to be consumed first that lie in another queue");
                    keys.Wait(pull.Group.GroupName, pull.Topic, pull.Queue.QueueId, inOrder);
                    return;
                }

                end = Math.Min(end, inOrder);
            }

            try
            {
                status = _store.Read(
                    pull.Queue, pull.QueueOffset, pull.MaxMessages, pull.MaxMessageBytes, FilterOf(in pull, sides), slices, end);
            }
            catch (IOException)
            {
                // Not thrown: a parked pull has nobody who would answer for it. The client asks for the same offset again.
                Reply(in pull, ResponseCode.SystemError, "the queue cannot be read just now", pull.QueueOffset);
                return;
            }

            if (status == ReadStatus.Found)
            {
                sides?.Given.Raise(pull.Topic.NameUtf8.Span, pull.Queue.QueueId, slices.NextOffset);
            }
        }
        while (stamp != _gray.Stamp);

        if (pull.HasPassed && status == ReadStatus.OffsetOverflowOne)
        {
            // All that came while it waited was for others: its next offset is behind that.
            status = ReadStatus.NoMatchedMessage;
        }

        ResponseCode code = ToCode(status, pull.QueueOffset);
        if (code == ResponseCode.PullNotFound && suspend > TimeSpan.Zero && _parked.TryPark(in pull, suspend))
        {
            return;
        }

        RecordPull(in pull, slices.NextOffset);
        PullMessageResponseHeader header = ResponseHeader(in pull, slices.NextOffset, slices.MinOffset, slices.MaxOffset);
        if (code == ResponseCode.Success)
        {
            _statistics.Got(pull.Group.GroupName, pull.Topic, slices.Count, slices.TotalBytes);
            pull.Responder.Reply(code, Remark(status), in header, new SlicesBody(slices));
        }
        else
        {
            pull.Responder.Reply(code, Remark(status), in header);
        }
    }

    private IMessageFilter? FilterOf(in Pull pull, GrayGroup? sides) => _gray.Skips is { } skips
        ? skips.FilterFor(pull.Group.GroupName, sides, pull.Topic, pull.Responder.Connection, pull.Filter)
        : pull.Filter;

    /// <summary>
    /// Whether a group with a gray release may be given something; where not, the pull is answered or kept. What is read has to be
    /// thrown away if a queue has changed hands meanwhile (<see cref="GrayTable.Stamp"/>).
    /// </summary>
    private bool MayRead(in Pull pull, GrayGroup sides, int stamp, TimeSpan suspend, out long end)
    {
        PullVerdict verdict = sides.Judge(pull.Responder.Connection, pull.Topic, pull.Queue.QueueId, pull.QueueOffset);
        end = verdict.EndOffset;
        if (verdict.NextOffset >= 0)
        {
            // PULL_OFFSET_MOVED only where it must be: by that, Java clients drop the queue and Go clients sleep for 10 s; by the other code
            // Java clients never go back with what they commit.
            Reply(
                in pull,
                verdict.IsBack ? ResponseCode.PullOffsetMoved : ResponseCode.PullRetryImmediately,
                "the queue has changed hands",
                verdict.NextOffset);
            return false;
        }

        if (!verdict.IsHeld)
        {
            return true;
        }

        Hold(in pull, stamp, suspend, "the queue is the other side's");
        return false;
    }

    private void Hold(in Pull pull, int stamp, TimeSpan suspend, string reason)
    {
        if (suspend <= TimeSpan.Zero || !_parked.TryPark(pull with { IsHeld = true }, suspend))
        {
            Reply(in pull, ResponseCode.PullNotFound, reason, pull.QueueOffset);
        }
        else if (stamp != _gray.Stamp)
        {
            // Who woke those that are held may have come before this one was.
            _parked.WakeHeld(pull.Group.GroupName);
        }
    }

    // For consume statistics: how far the group has been served, whether or not it has committed.
    private void RecordPull(in Pull pull, long nextOffset)
    {
        Span<byte> group = stackalloc byte[GroupNames.MaxLength];
        int length = Encoding.UTF8.GetBytes(pull.Group.GroupName, group);
        _offsets.RecordPull(group[..length], pull.Topic.NameUtf8.Span, pull.Queue.QueueId, nextOffset);
    }

    private TimeSpan SuspendTime(in PullMessageHeader header)
    {
        if ((header.SysFlag & PullSysFlag.Suspend) == 0)
        {
            return TimeSpan.Zero;
        }

        long wanted = Math.Clamp(header.SuspendTimeoutMs, 0, (long)_options.MaxSuspend.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(_options.LongPollingEnabled ? wanted : Math.Min(wanted, _options.ShortPollingMs));
    }

    private SubscriptionGroupConfig FindGroup(in PullMessageHeader header, RequestCode code)
    {
        if (!TopicPermission.IsReadable(_options.BrokerPermission.Value))
        {
            throw Forbidden(ForbiddenType.Broker, $"the broker[{_options.BrokerAddress}] pulling message is forbidden");
        }

        if (code == RequestCode.LitePullMessage && !_options.LitePullEnabled)
        {
            throw Forbidden(ForbiddenType.Broker, $"the broker[{_options.BrokerAddress}] for lite pull consumer is forbidden");
        }

        SubscriptionGroupConfig group = _groups.Find(header.ConsumerGroup.Span)
            ?? throw new RemotingException(
                ResponseCode.SubscriptionGroupNotExist,
                $"subscription group [{Text(header.ConsumerGroup)}] does not exist");
        return group.ConsumeEnable
            ? group
            : throw Forbidden(ForbiddenType.Group, $"subscription group no permission, {group.GroupName}");
    }

    private Topic FindTopic(in PullMessageHeader header, in RemotingRequest request)
    {
        Topic topic = _topics.Find(header.Topic.Span)
            ?? throw new RemotingException(
                ResponseCode.TopicNotExist, $"topic[{Text(header.Topic)}] not exist, apply first please!");
        if (!TopicPermission.IsReadable(topic.Config.Perm))
        {
            throw Forbidden(ForbiddenType.Topic, $"the topic[{topic.Name}] pulling message is forbidden");
        }

        return (uint)header.QueueId < (uint)topic.Config.ReadQueueNums
            ? topic
            : throw new RemotingException(
                ResponseCode.InvalidParameter,
                $"queueId[{header.QueueId}] is illegal, topic:[{topic.Name}] "
                + $"topicConfig.readQueueNums:[{topic.Config.ReadQueueNums}] consumer:[{request.Connection.RemoteEndPoint}]");
    }

    /// <param name="sides">Of the group, where it has a gray release: they may subscribe differently.</param>
    /// <param name="isOfGroup">Whether it is that of a group with sides, and not of the client that asks.</param>
    private IMessageFilter? FindFilter(
        in PullMessageHeader header,
        string topic,
        SubscriptionGroupConfig group,
        GrayGroup? sides,
        RemotingPeer client,
        out bool isOfGroup)
    {
        isOfGroup = false;
        return _filters.For(topic, (header.SysFlag & PullSysFlag.Subscription) != 0
            ? _filters.Parse(header.ExpressionType.Span, header.Subscription.Span)
            : FindExpression(in header, group, sides, client, out isOfGroup));
    }

    private SubscriptionExpression FindExpression(
        in PullMessageHeader header, SubscriptionGroupConfig group, GrayGroup? sides, RemotingPeer client, out bool isOfGroup)
    {
        ConsumerGroup consumers = _consumers.Find(header.ConsumerGroup.Span)
            ?? throw new RemotingException(
                ResponseCode.SubscriptionNotExist, $"the consumer's group info not exist: {group.GroupName}");
        if (!group.ConsumeBroadcastEnable && consumers.MessageModel == MessageModel.Broadcasting)
        {
            throw Forbidden(ForbiddenType.Broadcasting, $"the consumer group[{group.GroupName}] can not consume by broadcast way");
        }

        if (_groups.IsReadForbidden(header.ConsumerGroup.Span, header.Topic.Span))
        {
            throw Forbidden(
                ForbiddenType.Subscription, $"the consumer group[{group.GroupName}] is forbidden for topic[{Text(header.Topic)}]");
        }

        SubscriptionSet? own = sides is not null && ClientSession.Of(client) is { } session
            ? consumers.FindClient(session)?.Subscriptions
            : null;
        isOfGroup = sides is not null && own is not { Count: > 0 };
        Subscription subscription = (own is { Count: > 0 } ? own.Find(header.Topic.Span)
                : sides?.StandingOf(client) == Standing.Gray
                    ? consumers.GraySubscriptions.Find(header.Topic.Span) ?? consumers.FindSubscription(header.Topic.Span)
                    : consumers.FindSubscription(header.Topic.Span))
            ?? throw new RemotingException(
                ResponseCode.SubscriptionNotExist,
                $"the consumer's subscription not exist: group {group.GroupName}, topic {Text(header.Topic)}");
        if (subscription.SubVersion < header.SubVersion)
        {
            throw new RemotingException(
                ResponseCode.SubscriptionNotLatest,
                $"the consumer's subscription not latest: {subscription.SubVersion} is known, {header.SubVersion} was asked for");
        }

        return subscription.Problem is { } problem ? throw SubscriptionFilters.ParseFailed(problem) : subscription.Expression;
    }

    private static PullForbiddenException Forbidden(ForbiddenType type, string remark) => new(type, remark);

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);

    private static ResponseCode ToCode(ReadStatus status, long asked) => status switch
    {
        ReadStatus.Found => ResponseCode.Success,
        ReadStatus.NoMatchedMessage or ReadStatus.MessageWasRemoving => ResponseCode.PullRetryImmediately,
        ReadStatus.NoMatchedLogicQueue or ReadStatus.NoMessageInQueue =>
            asked == 0 ? ResponseCode.PullNotFound : ResponseCode.PullOffsetMoved,
        ReadStatus.OffsetFoundNull or ReadStatus.OffsetOverflowOne => ResponseCode.PullNotFound,
        _ => ResponseCode.PullOffsetMoved,
    };

    // RocketMQ's remark is the status by name; clients show it.
    private static string Remark(ReadStatus status) => status switch
    {
        ReadStatus.Found => "FOUND",
        ReadStatus.NoMatchedMessage => "NO_MATCHED_MESSAGE",
        ReadStatus.MessageWasRemoving => "MESSAGE_WAS_REMOVING",
        ReadStatus.OffsetFoundNull => "OFFSET_FOUND_NULL",
        ReadStatus.OffsetOverflowBadly => "OFFSET_OVERFLOW_BADLY",
        ReadStatus.OffsetOverflowOne => "OFFSET_OVERFLOW_ONE",
        ReadStatus.OffsetTooSmall => "OFFSET_TOO_SMALL",
        ReadStatus.NoMatchedLogicQueue => "NO_MATCHED_LOGIC_QUEUE",
        _ => "NO_MESSAGE_IN_QUEUE",
    };
}
