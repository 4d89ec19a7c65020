using System.Text;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Routes;

/// <summary>A broker of a route: its name and the addresses of its nodes.</summary>
internal sealed class RouteBroker(BrokerData data)
{
    public string Name => data.BrokerName;

    /// <summary>The name as requests carry it.</summary>
    public ReadOnlyMemory<byte> NameUtf8 { get; } = Encoding.UTF8.GetBytes(data.BrokerName);

    /// <summary>The address that takes writes; null when no master is there.</summary>
    public string? Master { get; } = data.BrokerAddrs.GetValueOrDefault(BrokerData.MasterId);

    /// <summary>Addresses by broker id; 0 is the master.</summary>
    public IReadOnlyDictionary<long, string> Addresses => data.BrokerAddrs;

    /// <summary>
    /// The address to read from: the node with the id that is wanted; where that is a slave and away, the next slave; else any.
    /// Null when there is none.
    /// </summary>
    public string? FindReader(long brokerId, out bool isMaster)
    {
        isMaster = brokerId == BrokerData.MasterId;
        if (data.BrokerAddrs.TryGetValue(brokerId, out string? address)
            || (!isMaster && data.BrokerAddrs.TryGetValue(brokerId + 1, out address)))
        {
            return address;
        }

        isMaster = Master is not null;
        return Master ?? data.BrokerAddrs.Values.FirstOrDefault();
    }
}
