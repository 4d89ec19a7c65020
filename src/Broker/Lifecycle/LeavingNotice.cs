using GrayMQ.Broker.Clients;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>Tells clients of this project at once that the broker leaves, or stays; those of RocketMQ would not understand.</summary>
internal sealed class LeavingNotice(string brokerName, ConsumerTable consumers, ProducerTable producers)
{
    public void Tell(bool leaving)
    {
        var header = new NotifyBrokerLeavingHeader { BrokerName = brokerName, Leaving = leaving };
        IEnumerable<ClientSession> clients = producers.Groups.SelectMany(group => group.Value).Select(client => client.Session)
            .Concat(consumers.Groups.SelectMany(group => group.Clients).Select(client => client.Session))
            .Where(session => session.Language == LanguageCode.DotNet)
            .Distinct();
        foreach (ClientSession client in clients)
        {
            client.Connection.SendOneWay(RequestCode.NotifyBrokerLeaving, in header);
        }
    }
}
