using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace GrayMQ.Client.Sessions;

/// <summary>Who a client is for brokers: <c>address@instance</c> (RocketMQ: ClientConfig.buildMQClientId).</summary>
internal static class ClientIdentity
{
    /// <summary>The instance name that RocketMQ gives to all clients of a process unless it makes them unique.</summary>
    public const string SharedInstanceName = "DEFAULT";

    private static readonly Lazy<IPAddress> Address = new(FindAddress);

    /// <summary>This machine's address as others see it: IPv4 where there is one.</summary>
    public static IPAddress LocalAddress => Address.Value;

    /// <summary>A client id with the instance name given, or with one that no other client has.</summary>
    public static string Create(string? instanceName)
    {
        if (instanceName is null)
        {
            Span<byte> random = stackalloc byte[8];
            RandomNumberGenerator.Fill(random);
            instanceName = string.Create(
                CultureInfo.InvariantCulture, $"{Environment.ProcessId}#{BitConverter.ToInt64(random) & long.MaxValue}");
        }

        return $"{LocalAddress}@{instanceName}";
    }

    private static IPAddress FindAddress()
    {
        IPAddress? v6 = null;
        foreach (IPAddress address in LocalAddresses())
        {
            if (IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal)
            {
                continue;
            }

            if (address.AddressFamily == AddressFamily.InterNetwork)
            {
                return address;
            }

            v6 ??= address;
        }

        return v6 is null ? IPAddress.Loopback : new IPAddress(v6.GetAddressBytes());
    }

    private static IEnumerable<IPAddress> LocalAddresses()
    {
        NetworkInterface[] interfaces;
        try
        {
            interfaces = NetworkInterface.GetAllNetworkInterfaces();
        }
        catch (NetworkInformationException)
        {
            yield break;
        }

        foreach (NetworkInterface network in interfaces)
        {
            if (network.OperationalStatus == OperationalStatus.Down)
            {
                continue;
            }

            foreach (UnicastIPAddressInformation unicast in network.GetIPProperties().UnicastAddresses)
            {
                yield return unicast.Address;
            }
        }
    }
}
