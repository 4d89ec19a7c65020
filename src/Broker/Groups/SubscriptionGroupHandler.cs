using GrayMQ.Broker.Offsets;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Groups;

/// <summary>
/// What administrators do with consumer groups: requests 200, 201, 207, 225, 352 and 353. All of them may wait for the disk, so that
/// they belong on the thread pool.
/// </summary>
internal sealed class SubscriptionGroupHandler(SubscriptionGroupTable groups, ConsumerOffsetTable offsets)
{
    /// <summary>UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200).</summary>
    public ValueTask PutAsync(RemotingRequest request, NoHeader header)
    {
        groups.Put(BodyCodec.Decode<SubscriptionGroupConfig>(request.Body));
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    /// <summary>UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST (225): all or none.</summary>
    public ValueTask PutListAsync(RemotingRequest request, NoHeader header)
    {
        groups.Put(BodyCodec.Decode<SubscriptionGroupList>(request.Body).GroupConfigList);
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    /// <summary>DELETE_SUBSCRIPTIONGROUP (207), with the group's offsets where that is asked for.</summary>
    public ValueTask DeleteAsync(RemotingRequest request, DeleteSubscriptionGroupHeader header)
    {
        groups.Delete(header.GroupName);
        if (header.CleanOffset)
        {
            offsets.RemoveGroup(header.GroupName);
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    /// <summary>GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201).</summary>
    public ValueTask GetAllAsync(RemotingRequest request, NoHeader header)
    {
        request.Reply(BodyCodec.Encode(groups.ToWrapper()));
        return ValueTask.CompletedTask;
    }

    /// <summary>GET_SUBSCRIPTIONGROUP_CONFIG (352). Like RocketMQ, creates the group where clients may.</summary>
    public ValueTask GetAsync(RemotingRequest request, GroupHeader header)
    {
        SubscriptionGroupConfig group = groups.Find(header.Group)
            ?? throw new RemotingException(ResponseCode.SubscriptionGroupNotExist, $"No group in this broker. group: {header.Group}");
        request.Reply(BodyCodec.Encode(group));
        return ValueTask.CompletedTask;
    }

    /// <summary>UPDATE_AND_GET_GROUP_FORBIDDEN (353).</summary>
    public ValueTask ForbidAsync(RemotingRequest request, UpdateGroupForbiddenHeader header)
    {
        if (header.Readable is bool readable)
        {
            groups.ForbidReading(header.Group, header.Topic, forbid: !readable);
        }

        request.Reply(BodyCodec.Encode(new GroupForbidden
        {
            Group = header.Group,
            Topic = header.Topic,
            Readable = !groups.IsReadForbidden(header.Group, header.Topic),
        }));
        return ValueTask.CompletedTask;
    }
}
