// URLPattern standard.
export { URLPattern } from 'urlpattern-polyfill/urlpattern';
