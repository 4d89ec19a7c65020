using Google.Protobuf;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Filtering;
using GrayMQ.Grpc.Calls;
using GrayMQ.Grpc.Framing;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Clients;

/// <summary>Clients come, tell what they are, say that they are there, and go (RocketMQ: ClientActivity).</summary>
internal sealed class ClientService(
    GrpcClients clients,
    HeartbeatHandler heartbeats,
    ClientSettingsMerge settings,
    BrokerLifecycle lifecycle,
    ClientLimits limits,
    TimeProvider time)
{
    // Some libraries open the next stream at once, and at the same broker where no load balancer chooses another.
    private static readonly TimeSpan ReconnectInterval = TimeSpan.FromSeconds(30);

    public async Task TelemetryAsync(GrpcCall call, MessageParser<V2.TelemetryCommand> parser)
    {
        Caller caller;
        try
        {
            caller = clients.Identify(call);
        }
        catch (MessagingException e)
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, e.Message, e.Code.ToString());
        }

        using var stream = new TelemetryStream(call, time);
        GrpcClient? client = null;
        try
        {
            await stream.RunAsync(
                parser,
                command =>
                {
                    if (command.CommandCase == V2.TelemetryCommand.CommandOneofCase.Settings)
                    {
                        bool isFirst = client is null;
                        client = Tell(caller with { Client = clients.Identify(call).Client }, command.Settings);
                        client.Attach(stream);
                        stream.TrySend(new V2.TelemetryCommand
                        {
                            Status = Statuses.Ok,
                            Settings = settings.Merge(client.Settings, client.ConsumerGroup),
                        });
                        if (isFirst && lifecycle.IsLeaving && client.MayReconnect(time.GetTimestamp(), ReconnectInterval, time))
                        {
                            // Behind a load balancer it comes to another broker; its calls are served for as long as it stays.
                            stream.Reconnect();
                        }
                    }
                    else if (client is not null)
                    {
                        Report(client, command);
                    }
                }).ConfigureAwait(false);
        }
        finally
        {
            client?.Detach(stream);
        }
    }

    public V2.HeartbeatResponse Heartbeat(Caller caller, V2.HeartbeatRequest request)
    {
        GrpcClient client = Known(caller);
        if (client.ConsumerGroup is not null)
        {
            ResourceNames.GroupOf(request.Group, caller);
        }

        Hear(client);
        return new V2.HeartbeatResponse { Status = Statuses.Ok };
    }

    public static V2.NotifyClientTerminationResponse Terminate(Caller caller)
    {
        Known(caller).Abort("it has ended");
        return new V2.NotifyClientTerminationResponse { Status = Statuses.Ok };
    }

    /// <summary>A producer has begun a transaction in a topic: it can be asked how it ended.</summary>
    public void Produces(GrpcClient client, string topic)
    {
        if (Add(client, [topic]))
        {
            Hear(client);
        }
    }

    private static void Report(GrpcClient client, V2.TelemetryCommand command)
    {
        switch (command.CommandCase)
        {
            case V2.TelemetryCommand.CommandOneofCase.ThreadStackTrace:
                client.Report(command.ThreadStackTrace.Nonce, ClientReports.StackTrace(command));
                break;
            case V2.TelemetryCommand.CommandOneofCase.VerifyMessageResult:
                client.Report(command.VerifyMessageResult.Nonce, ClientReports.Verified(command));
                break;
            case V2.TelemetryCommand.CommandOneofCase.VerifyMessageCommand:
                // Libraries that cannot verify give the command back.
                client.Report(command.VerifyMessageCommand.Nonce, ClientReports.Verified(command));
                break;
        }
    }

    private static GrpcClient Known(Caller caller) => caller.Client
        ?? throw new MessagingException(V2.Code.UnrecognizedClientType, "cannot find client settings for this client");

    private GrpcClient Tell(Caller caller, V2.Settings told)
    {
        try
        {
            if (told.ClientType is V2.ClientType.LitePushConsumer or V2.ClientType.LiteSimpleConsumer)
            {
                throw new MessagingException(V2.Code.Unsupported, "lite topics are not supported");
            }

            string? group = null;
            string[] topics = [];
            switch (told.PubSubCase)
            {
                case V2.Settings.PubSubOneofCase.Publishing:
                    topics = [.. told.Publishing.Topics.Select(topic => ResourceNames.TopicOf(topic, caller))];
                    break;
                case V2.Settings.PubSubOneofCase.Subscription:
                    group = ResourceNames.GroupOf(told.Subscription.Group, caller);
                    CheckSubscriptions(caller, told);
                    break;
                default:
                    throw new MessagingException(V2.Code.BadRequest, "there is no publishing or subscription data in settings");
            }

            // Nothing is kept of what goes beyond a limit.
            long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
            CheckLimits(caller, told, group, topics, nowMs);
            GrpcClient client = clients.Open(caller);
            Add(client, topics);
            client.Tell(told, group, caller.Namespace, nowMs);
            Hear(client);
            return client;
        }
        catch (MessagingException e)
        {
            throw new GrpcException(
                GrpcStatusCode.InvalidArgument, $"process client telemetryCommand failed. {e.Message}", e.Code.ToString());
        }
        catch (RemotingException e)
        {
            throw new GrpcException(GrpcStatusCode.Internal, $"process client telemetryCommand failed. {e.Message}");
        }
    }

    private void CheckLimits(Caller caller, V2.Settings told, string? group, string[] topics, long nowMs)
    {
        int bytes = told.CalculateSize();
        if (bytes > limits.MaxHeartbeatBytes)
        {
            throw new MessagingException(V2.Code.BadRequest, $"the settings have {bytes} bytes: {limits.MaxHeartbeatBytes} are the limit");
        }

        if (topics.Length > limits.MaxGroupsPerConnection)
        {
            throw TooManyTopics();
        }

        var heartbeat = new HeartbeatData { ClientId = caller.ClientId };
        if (group is not null)
        {
            heartbeat.ConsumerDataSet.Add(ConsumerOf(caller, told, group, nowMs));
        }

        heartbeat.ProducerDataSet.AddRange(topics.Select(topic => new ProducerData { GroupName = topic }));
        heartbeats.Check(heartbeat);
    }

    private bool Add(GrpcClient client, string[] topics) =>
        client.TryProduce(topics, limits.MaxGroupsPerConnection, out bool added) ? added : throw TooManyTopics();

    private MessagingException TooManyTopics() =>
        new(V2.Code.TooManyRequests, $"the client sends to more topics than {limits.MaxGroupsPerConnection}, which is the limit");

    private void Hear(GrpcClient client)
    {
        clients.Heard(client);
        var heartbeat = new HeartbeatData { ClientId = client.Id };
        if (client.ConsumerGroup is { } group)
        {
            heartbeat.ConsumerDataSet.Add(ConsumerOf(client.ToCaller(), client.Settings, group, client.SettingsToldMs));
        }

        foreach (string topic in client.ProducedTopics)
        {
            heartbeat.ProducerDataSet.Add(new ProducerData { GroupName = topic });
        }

        heartbeats.Hear(client, heartbeat, client.Language, RemotingCommand.CurrentVersion);
    }

    private static ConsumerData ConsumerOf(Caller caller, V2.Settings told, string group, long toldMs)
    {
        var consumer = new ConsumerData
        {
            GroupName = group,
            ConsumeType = told.ClientType == V2.ClientType.PushConsumer ? ConsumeType.Passively : ConsumeType.Actively,
            MessageModel = MessageModel.Clustering,
            ConsumeFromWhere = ConsumeFromWhere.LastOffset,
        };
        foreach (V2.SubscriptionEntry entry in told.Subscription.Subscriptions)
        {
            consumer.SubscriptionDataSet.Add(new SubscriptionData
            {
                Topic = ResourceNames.TopicOf(entry.Topic, caller),
                SubString = Filters.TextOf(entry.Expression),
                ExpressionType = Filters.TypeOf(entry.Expression),
                SubVersion = toldMs,
            });
        }

        return consumer;
    }

    private static void CheckSubscriptions(Caller caller, V2.Settings told)
    {
        foreach (V2.SubscriptionEntry entry in told.Subscription.Subscriptions)
        {
            ResourceNames.TopicOf(entry.Topic, caller);
            try
            {
                SubscriptionExpression.Parse(Filters.TypeOf(entry.Expression), Filters.TextOf(entry.Expression));
            }
            catch (ExpressionSyntaxException e)
            {
                throw new MessagingException(V2.Code.IllegalFilterExpression, $"expression format is not correct: {e.Message}");
            }
        }
    }
}
