using System.Net;
using System.Text;
using GrayMQ.Broker.Assignments;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Configuration;
using GrayMQ.Broker.Delays;
using GrayMQ.Broker.Filtering;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Locks;
using GrayMQ.Broker.Maintenance;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Popping;
using GrayMQ.Broker.Pulling;
using GrayMQ.Broker.Queries;
using GrayMQ.Broker.Replies;
using GrayMQ.Broker.Retries;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Topics;
using GrayMQ.Broker.Transactions;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Settings;
using GrayMQ.Store;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker;

/// <summary>Makes the handlers of <see cref="BrokerRequests"/>, each from what it uses.</summary>
internal static class BrokerHandlers
{
    public static RequestTable Table(
        EffectiveSettings settings,
        RunningSettings running,
        IPEndPoint address,
        BrokerState state,
        MessageIntake intake,
        TransactionParts transactions,
        ConsumeProgress progress,
        HeartbeatHandler heartbeats,
        TopicRouteTable routes,
        ITopicAnnouncer announcer,
        LifecycleParts lifecycle,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        string name = settings.Get(BrokerSettings.BrokerName);
        TopicTable topics = state.Topics;
        SubscriptionGroupTable groups = state.Groups;
        ConsumerOffsetTable offsets = state.Offsets;
        ConsumerTable consumers = state.Clients.Consumers;
        MessageStore messages = state.Messages;
        PendingMessages pending = state.Pending;
        GrayTable gray = state.Gray;
        var delays = new DelayRouting(pending.Options, topics, time);
        var recall = new TimerRecall(messages, pending.Timers, intake, topics, time);
        var retryTopics = new RetryTopics(topics, gray);
        var failed = new FailedMessages(
            topics, retryTopics, delays, intake, state.Statistics, gray, loggers.CreateLogger<FailedMessages>());
        PopOptions popOptions = PopSettings.Options(settings, running, address);
        var popAccess = new PopAccess(popOptions, topics, groups, state.Pops.Targets);
        var popOffsets = new PopOffsets(popOptions, offsets, messages, state.Pops.CheckPoints);
        var poppable = new PoppableQueues(
            popOptions, topics, groups, messages, state.Pops.CheckPoints, popOffsets, gray, time);
        var pops = new PopService(
            popOptions,
            popAccess,
            new QueuePopper(
                popOptions,
                poppable,
                popOffsets,
                messages,
                state.Pops.CheckPoints,
                state.Statistics,
                gray,
                time,
                loggers.CreateLogger<QueuePopper>()),
            poppable,
            state.Pops.Parked,
            lifecycle.State,
            loggers.CreateLogger<PopService>());
        var popAcks = new PopAcks(popAccess, state.Pops, popOffsets, messages, Encoding.UTF8.GetBytes(name), time);
        state.Pops.ReviveWith(new PopReviver(
            state.Pops,
            messages,
            intake,
            new OverdueMessages(
                popOptions, messages, failed, topics, groups, offsets, loggers.CreateLogger<OverdueMessages>()),
            time,
            loggers.CreateLogger<PopReviver>()));
        SendOptions sendOptions = BrokerSettings.SendOptions(settings, running, address);
        var commits = new ClientCommits(topics, offsets);
        var filters = new SubscriptionFilters(settings.Get(BrokerSettings.EnablePropertyFilter), state.Filters);
        return BrokerRequests.Table(
            new SendMessageHandler(
                sendOptions,
                topics,
                lifecycle.Gate,
                intake,
                transactions.Sends,
                new RetrySends(groups, state.Clients.Locks, retryTopics, gray),
                new DelayedSends(name, delays, recall, intake),
                new UniqueKeyGenerator(address.Address, Environment.ProcessId),
                gray,
                time),
            transactions.Ends,
            transactions.Resumes,
            transactions.Lists,
            new SendBackHandler(sendOptions, topics, groups, retryTopics, messages, intake, failed),
            new ReplyHandler(
                sendOptions,
                settings.Get(ReplySettings.StoreReplyMessageEnable),
                topics,
                lifecycle.Gate,
                state.Clients.Producers,
                intake,
                time,
                loggers.CreateLogger<ReplyHandler>()),
            new PullMessageHandler(
                BrokerSettings.PullOptions(settings, running, address),
                topics,
                groups,
                consumers,
                offsets,
                commits,
                messages,
                state.Parked,
                lifecycle.State,
                state.Statistics,
                filters,
                gray),
            new PopMessageHandler(popOptions, popAccess, pops, filters, time),
            new AckHandler(popAccess, popAcks),
            new PopQueryHandler(popAccess, poppable, popOffsets, messages, time),
            new PopsInFlightHandler(state.Pops.CheckPoints, messages),
            new FilterStatsHandler(state.Filters, consumers),
            new RecallHandler(
                name,
                settings.Get(BrokerSettings.RegionId),
                sendOptions.BrokerPermission,
                pending.Options,
                topics,
                intake,
                recall,
                time),
            new TimerQueryHandler(pending.Timers, pending.Delivery, messages, time),
            new QueueOffsetHandler(topics, messages),
            new MessageQueryHandler(messages, settings.Get(BrokerSettings.DefaultQueryMaxNum)),
            heartbeats,
            new ConsumerListHandler(consumers, gray),
            new TopicHandler(
                MetadataSettings.TopicOptions(settings),
                topics,
                offsets,
                messages,
                announcer,
                topic => state.GrayWork.Acting.FindTopic(topic)),
            new SubscriptionGroupHandler(groups, offsets),
            new ConsumerOffsetHandler(topics, groups, offsets, commits, messages, gray, loggers.CreateLogger<ConsumerOffsetHandler>()),
            new OffsetAdminHandler(address.ToString(), topics, consumers, offsets, messages),
            new ResetOffsetHandler(
                name,
                MetadataSettings.OffsetOptions(settings),
                topics,
                groups,
                consumers,
                offsets,
                messages,
                loggers.CreateLogger<ResetOffsetHandler>()),
            new ExportHandler(state.Export),
            new ClientQueryHandler(consumers, state.Clients.Producers, offsets, filters),
            new ConsumerCallHandler(name, consumers, topics, groups, messages),
            new QueueLockHandler(state.Clients.Locks, topics, gray, ClientSettings.ToLimits(settings)),
            new AssignmentHandler(
                AssignmentSettings.Options(settings),
                topics,
                groups,
                consumers,
                state.RequestModes,
                routes,
                gray,
                loggers.CreateLogger<AssignmentHandler>()),
            new GrayStatusHandler(name, gray, state.GrayWork, groups, consumers, state.Clients.Producers),
            new ConsumeStatsHandler(name, address.ToString(), progress, topics, groups, offsets, messages, time),
            new TopicStatsHandler(name, topics, messages, state.Statistics),
            new RuntimeInfoHandler(settings.Get(BrokerSettings.StorePathRootDir), messages, state.Statistics, time),
            new BrokerConfigHandler(running),
            new CleanupHandler(topics, messages, loggers.CreateLogger<CleanupHandler>()),
            lifecycle.Handler);
    }
}
