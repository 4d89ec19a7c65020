using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Names;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Calls;

/// <summary>
/// Topics and groups as clients name them. A name within a namespace is the broker's <c>namespace%name</c>, as RocketMQ's remoting
/// clients write it, so that both see the same topic (RocketMQ: NamespaceUtil, GrpcValidator).
/// </summary>
internal static class ResourceNames
{
    private const char NamespaceSeparator = '%';

    private const string SystemGroupPrefix = "CID_RMQ_SYS_";

    /// <exception cref="MessagingException">No topic that clients may name.</exception>
    public static string TopicOf(V2.Resource? resource, Caller caller)
    {
        string name = Full(resource, caller);
        if (TopicNames.Problem(name) is { } problem)
        {
            throw new MessagingException(V2.Code.IllegalTopic, problem);
        }

        return SystemTopics.IsReserved(name) ? throw new MessagingException(V2.Code.IllegalTopic, "cannot access system topic") : name;
    }

    /// <exception cref="MessagingException">No group that clients may name.</exception>
    public static string GroupOf(V2.Resource? resource, Caller caller)
    {
        string name = Full(resource, caller);
        if (GroupNames.Problem(name) is { } problem)
        {
            throw new MessagingException(V2.Code.IllegalConsumerGroup, problem);
        }

        return name.StartsWith(SystemGroupPrefix, StringComparison.Ordinal)
            ? throw new MessagingException(V2.Code.IllegalConsumerGroup, "cannot use system consumer group")
            : name;
    }

    /// <summary>The name as clients know it.</summary>
    public static V2.Resource ToResource(string name)
    {
        int separator = name.IndexOf(NamespaceSeparator);
        return separator <= 0
            ? new V2.Resource { Name = name }
            : new V2.Resource { ResourceNamespace = name[..separator], Name = name[(separator + 1)..] };
    }

    private static string Full(V2.Resource? resource, Caller caller)
    {
        string name = resource?.Name ?? "";
        string space = resource?.ResourceNamespace is { Length: > 0 } own ? own : caller.Namespace;
        return space.Length == 0 || name.Length == 0 || name.StartsWith(space + NamespaceSeparator, StringComparison.Ordinal)
            ? name
            : space + NamespaceSeparator + name;
    }
}
