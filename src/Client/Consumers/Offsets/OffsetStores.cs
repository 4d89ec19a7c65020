using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Offsets;

/// <summary>Chooses where a consumer's offsets are kept.</summary>
internal static class OffsetStores
{
    /// <summary>Those of a group at its brokers; those of a broadcasting consumer, which are its own, in a file.</summary>
    public static IOffsetStore Create(ConsumerOptions options, ClientSession session, ILogger logger) =>
        options.MessageModel == MessageModel.Broadcasting
            ? new FileOffsetStore(options.OffsetFolderOf(session.ClientId), logger)
            : new BrokerOffsetStore(session, options.Group, logger);
}
