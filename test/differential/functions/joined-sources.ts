// Several asynchronous sources joined, one of them failing: what a backend for a frontend does all day.
const wait = async <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(() => resolve(value), ms));

export default {
  async fetch(): Promise<Response> {
    const [user, orders, adverts] = await Promise.allSettled([wait(6, { id: 7, name: 'Ana' }), wait(2, [{ id: 1, cents: 1_250 }, { id: 2, cents: 99 }]), wait(4, null).then(() => { throw new TypeError('adverts are down'); })]);
    const first = await Promise.race([wait(30, 'slow'), wait(1, 'quick')]);
    const late = await Promise.race([wait(200, 'in time'), new Promise((resolve) => AbortSignal.timeout(10).addEventListener('abort', () => resolve('gave up')))]);
    return Response.json({
      user: user.status === 'fulfilled' ? user.value : null,
      total: orders.status === 'fulfilled' ? orders.value.reduce((sum, { cents }) => sum + cents, 0) / 100 : null,
      adverts: adverts.status === 'rejected' ? (adverts.reason as Error).message : 'shown', first, late,
    });
  },
};
