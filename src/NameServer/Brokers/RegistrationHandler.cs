using GrayMQ.NameServer.KVConfigs;
using GrayMQ.NameServer.Routes;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Brokers;

/// <summary>
/// Brokers come, stay and go (RocketMQ requests 103, 104, 322, 904). Answered on the read loop, so that what one broker
/// says is taken in the order in which it says it.
/// </summary>
internal sealed class RegistrationHandler(
    BrokerRegistry registry, KVConfigStore configs, LiveOptions options, MinBrokerIdNotifier notifier, ILogger logger)
{
    /// <summary>Bodies of brokers before this one hold topics only (RocketMQ: ordinal of V3_0_11).</summary>
    private const short FullBodySinceVersion = 37;

    public ValueTask RegisterAsync(RemotingRequest request, RegisterBrokerHeader header)
    {
        if (header.BodyCrc32 != 0 && Crc32.OfBody(request.Body) != header.BodyCrc32)
        {
            Log.ChecksumMismatch(logger, header.BrokerName, header.BrokerAddress, request.Connection.RemoteEndPoint);
            throw new RemotingException(ResponseCode.SystemError, "crc32 not match");
        }

        RegisterBrokerBody body = ReadBody(request, header);
        BrokerRegistration registration = Check(request.Connection, header, body);
        BrokerConnection.Mark(request.Connection);
        RegistrationResult result = registry.Register(registration);
        if (result.Refusal is { } refusal)
        {
            throw new RemotingException(ResponseCode.SystemError, refusal);
        }

        notifier.Notify(result.Change);
        byte[]? order = options.Current.ReturnOrderTopicConfigToBroker && configs.List(RouteAnswers.OrderNamespace) is { } values
            ? BodyCodec.Encode(new KVTable { Table = values })
            : null;
        request.Responder.Reply(
            ResponseCode.Success,
            null,
            new RegisterBrokerResponseHeader { HaServerAddress = result.MasterHaAddress, MasterAddress = result.MasterAddress },
            new MemoryBody(order));
        return ValueTask.CompletedTask;
    }

    public ValueTask UnregisterAsync(RemotingRequest request, UnregisterBrokerHeader header)
    {
        var node = new BrokerIdentity(header.ClusterName, header.BrokerAddress);
        IReadOnlyList<MinBrokerIdChange> changes =
            registry.Unregister(new BrokerDeparture(node, header.BrokerName, header.BrokerId));
        request.Reply(ResponseCode.Success);
        notifier.Notify(changes);
        return ValueTask.CompletedTask;
    }

    public ValueTask HeartbeatAsync(RemotingRequest request, BrokerHeartbeatHeader header)
    {
        registry.Touch(new BrokerIdentity(header.ClusterName, header.BrokerAddress));
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    public ValueTask QueryDataVersionAsync(RemotingRequest request, QueryDataVersionHeader header)
    {
        DataVersion? asked = request.Body.IsEmpty ? null : BodyCodec.Decode<DataVersion>(request.Body);
        var node = new BrokerIdentity(header.ClusterName, header.BrokerAddress);
        DataVersion? known = registry.FindVersion(node);
        registry.Touch(node);
        request.Responder.Reply(
            ResponseCode.Success,
            null,
            new QueryDataVersionResponseHeader { Changed = known is null || known != asked },
            new MemoryBody(known is { } version ? BodyCodec.Encode(version) : null));
        return ValueTask.CompletedTask;
    }

    /// <summary>A connection has ended, and with it whatever lived by it.</summary>
    public void OnConnectionClosed(RemotingConnection connection)
    {
        if (BrokerConnection.IsMarked(connection))
        {
            notifier.Notify(registry.UnregisterBy(connection));
        }
    }

    private static RegisterBrokerBody ReadBody(RemotingRequest request, RegisterBrokerHeader header)
    {
        if (request.Body.IsEmpty)
        {
            return new RegisterBrokerBody();
        }

        if (request.Version >= FullBodySinceVersion)
        {
            return RegisterBrokerBodyCodec.Decode(request.Body, header.Compressed, request.Version);
        }

        TopicConfigSerializeWrapper topics = BodyCodec.Decode<TopicConfigSerializeWrapper>(request.Body);
        return new RegisterBrokerBody
        {
            TopicConfigSerializeWrapper = new() { DataVersion = topics.DataVersion, TopicConfigTable = topics.TopicConfigTable },
        };
    }

    private static BrokerRegistration Check(RemotingPeer connection, RegisterBrokerHeader header, RegisterBrokerBody body)
    {
        NameCheck.Require("broker name", header.BrokerName);
        NameCheck.Require("cluster name", header.ClusterName);
        NameCheck.Require("broker address", header.BrokerAddress);
        if (header.BrokerId < 0)
        {
            throw new RemotingException(ResponseCode.SystemError, $"the broker id is {header.BrokerId}: expected 0 or more");
        }

        foreach ((string name, TopicConfig topic) in body.TopicConfigSerializeWrapper.TopicConfigTable)
        {
            topic.TopicName = NameCheck.Require("topic name", topic.TopicName.Length == 0 ? name : topic.TopicName);
        }

        return new BrokerRegistration(
            new BrokerIdentity(header.ClusterName, header.BrokerAddress),
            header.BrokerName,
            header.BrokerId,
            header.HaServerAddress,
            header.ZoneName,
            header.HeartbeatTimeoutMs is > 0 and { } timeoutMs
                ? TimeSpan.FromMilliseconds(Math.Min(timeoutMs, int.MaxValue))
                : null,
            header.EnableActingMaster,
            body.TopicConfigSerializeWrapper,
            body.FilterServerList,
            connection)
        {
            GrpcAddress = header.GrpcAddress is { } grpc ? NameCheck.Require("gRPC address", grpc) : null,
        };
    }
}
