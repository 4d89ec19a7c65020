using System.Net;
using GrayMQ.Gray;
using GrayMQ.NameServer.Routes;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer;

/// <summary>Every line that this project logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "The name server listens on {EndPoint}")]
    public static partial void Started(ILogger logger, IPEndPoint endPoint);

    [LoggerMessage(2, LogLevel.Information, "The name server has stopped")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(60, LogLevel.Information, "The name server is not ready any more, and serves for {Milliseconds} ms yet")]
    public static partial void Leaving(ILogger logger, long milliseconds);

    [LoggerMessage(3, LogLevel.Information, "Broker {Name}:{Id} at {Node} registered with {Topics} topics")]
    public static partial void BrokerRegistered(ILogger logger, BrokerIdentity node, string name, long id, int topics);

    [LoggerMessage(4, LogLevel.Warning, "Broker {Name}:{Id} at {Node} is not registered: {Reason}")]
    public static partial void RegistrationRefused(ILogger logger, BrokerIdentity node, string name, long id, string reason);

    [LoggerMessage(5, LogLevel.Warning, "Broker {Name}:{Id} at {Node} is ignored: {Holder} holds the name and id in a newer role")]
    public static partial void RegistrationOutranked(ILogger logger, BrokerIdentity node, string name, long id, string holder);

    [LoggerMessage(6, LogLevel.Warning, "The registration of {Name} at {Address}, sent by {Peer}, does not match its checksum")]
    public static partial void ChecksumMismatch(ILogger logger, string name, string address, IPEndPoint? peer);

    [LoggerMessage(7, LogLevel.Information, "Broker {Name}:{Id} at {Node} is unregistered")]
    public static partial void BrokerUnregistered(ILogger logger, BrokerIdentity node, string name, long id);

    [LoggerMessage(8, LogLevel.Information, "{Node} left as broker {Name}, which is not registered")]
    public static partial void UnknownBrokerLeft(ILogger logger, BrokerIdentity node, string name);

    [LoggerMessage(9, LogLevel.Warning, "The connection of broker {Name}:{Id} at {Node} has ended")]
    public static partial void BrokerConnectionClosed(ILogger logger, BrokerIdentity node, string name, long id);

    [LoggerMessage(10, LogLevel.Warning, "Broker {Name}:{Id} at {Node} has been silent for {SilenceMs} ms and counts as gone")]
    public static partial void BrokerExpired(ILogger logger, BrokerIdentity node, string name, long id, long silenceMs);

    [LoggerMessage(11, LogLevel.Error, "Looking for silent brokers failed")]
    public static partial void ExpiryScanFailed(ILogger logger, Exception error);

    [LoggerMessage(12, LogLevel.Information, "{Address} was told that the lowest broker id is now {MinBrokerId}")]
    public static partial void MinBrokerIdNotified(ILogger logger, string address, long minBrokerId);

    [LoggerMessage(13, LogLevel.Warning, "{Address} could not be told that the lowest broker id is now {MinBrokerId}")]
    public static partial void MinBrokerIdNotNotified(ILogger logger, Exception error, string address, long minBrokerId);

    [LoggerMessage(14, LogLevel.Information, "Topic {Topic} is no longer at broker {Name}, whose registration does not name it")]
    public static partial void TopicLeftBroker(ILogger logger, string topic, string name);

    [LoggerMessage(15, LogLevel.Information, "Topic {Topic} is deleted in {Clusters} for {Peer}")]
    public static partial void TopicDeleted(ILogger logger, string topic, string clusters, IPEndPoint? peer);

    [LoggerMessage(16, LogLevel.Information, "Topic {Topic} is registered at {Brokers} brokers for {Peer}")]
    public static partial void TopicRegistered(ILogger logger, string topic, int brokers, IPEndPoint? peer);

    [LoggerMessage(17, LogLevel.Warning, "Topic {Topic} is not registered for {Peer}: one of its brokers is unknown, or there are too many topics")]
    public static partial void TopicNotRegistered(ILogger logger, string topic, IPEndPoint? peer);

    [LoggerMessage(18, LogLevel.Information, "The write permission of {Topics} topics at broker {Name} is wiped for {Peer}")]
    public static partial void WritePermissionWiped(ILogger logger, string name, int topics, IPEndPoint? peer);

    [LoggerMessage(19, LogLevel.Information, "The write permission of {Topics} topics at broker {Name} is added for {Peer}")]
    public static partial void WritePermissionAdded(ILogger logger, string name, int topics, IPEndPoint? peer);

    [LoggerMessage(20, LogLevel.Information, "{Key} of {Space} is set to {Value} for {Peer}")]
    public static partial void KVConfigPut(ILogger logger, string space, string key, string value, IPEndPoint? peer);

    [LoggerMessage(21, LogLevel.Information, "{Key} of {Space} is deleted for {Peer}")]
    public static partial void KVConfigDeleted(ILogger logger, string space, string key, IPEndPoint? peer);

    [LoggerMessage(22, LogLevel.Error, "{Key} of {Space} stays as it was: the change cannot be written")]
    public static partial void KVConfigNotWritten(ILogger logger, Exception error, string space, string key);

    [LoggerMessage(23, LogLevel.Information, "Setting {Key} is changed to {Value} for {Peer}")]
    public static partial void SettingChanged(ILogger logger, string key, string value, IPEndPoint? peer);

    [LoggerMessage(24, LogLevel.Information, "Gray state {Version}: {Summary} (by {Operator} from {From})")]
    public static partial void GrayStateChanged(ILogger logger, string summary, GrayVersion version, string @operator, string from);

    [LoggerMessage(25, LogLevel.Warning, "The gray state's database has gone back to {Version}, and gets a new epoch: {Why}")]
    public static partial void GrayEpochBegun(ILogger logger, GrayVersion version, string why);

    [LoggerMessage(26, LogLevel.Error, "The gray state cannot be changed: {Problem}")]
    public static partial void GrayDatabaseAway(ILogger logger, string problem);

    [LoggerMessage(27, LogLevel.Information, "The gray state can be changed again: {Database}")]
    public static partial void GrayDatabaseBack(ILogger logger, string database);

    [LoggerMessage(28, LogLevel.Error, "Looking at the gray state failed")]
    public static partial void GrayPollFailed(ILogger logger, Exception error);

    [LoggerMessage(40, LogLevel.Debug, "Broker {Name} at {Node} asked to leave: granted {Granted}, beside {Others}")]
    public static partial void DrainLeased(ILogger logger, string name, BrokerIdentity node, bool granted, string others);

    [LoggerMessage(41, LogLevel.Information, "The broker at {Node} that was leaving is back, or stays")]
    public static partial void DrainReturned(ILogger logger, BrokerIdentity node);

    [LoggerMessage(42, LogLevel.Information, "Broker {Name}:{Id} at {Node} has gone to come back: its route stays for {ReturnMs} ms")]
    public static partial void RouteKept(ILogger logger, BrokerIdentity node, string name, long id, long returnMs);

    [LoggerMessage(50, LogLevel.Warning, "{Path} cannot be read, no broker is waited for: {Reason}")]
    public static partial void KnownBrokersUnreadable(ILogger logger, string path, string reason);

    [LoggerMessage(51, LogLevel.Warning, "{Path} cannot be written, the next start will not wait for the brokers of now: {Reason}")]
    public static partial void KnownBrokersNotWritten(ILogger logger, string path, string reason);

    [LoggerMessage(52, LogLevel.Information, "All brokers that were there before the start have registered again, or left, after {Milliseconds} ms")]
    public static partial void AllBrokersBack(ILogger logger, long milliseconds);

    [LoggerMessage(53, LogLevel.Warning, "Not waited for any longer: {Names} had not registered again {Patience} after the start")]
    public static partial void BrokersNotBack(ILogger logger, string names, TimeSpan patience);
}
