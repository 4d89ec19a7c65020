using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Metadata;

/// <summary>
/// EXPORT_ROCKSDB_CONFIG_TO_JSON (355), mqadmin rocksDBConfigToJson: writes RocketMQ's files. Belongs on the thread pool.
/// </summary>
internal sealed class ExportHandler(RocketMqExport export)
{
    public ValueTask HandleAsync(RemotingRequest request, ExportConfigHeader header)
    {
        Action[] writes = [.. header.ConfigType
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(Find)];
        foreach (Action write in writes)
        {
            write();
        }

        request.Reply(ResponseCode.Success, "export done.");
        return ValueTask.CompletedTask;
    }

    private Action Find(string type) => type.ToUpperInvariant() switch
    {
        "TOPICS" => export.WriteTopics,
        "SUBSCRIPTIONGROUPS" => export.WriteGroups,
        "CONSUMEROFFSETS" => export.WriteOffsets,
        _ => throw new RemotingException(
            ResponseCode.InvalidParameter, $"config type {type} is not one of topics, subscriptionGroups, consumerOffsets"),
    };
}
